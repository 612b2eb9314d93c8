#pragma once
// What a Model stands for: its two networks, and engines that earlier questions have left.

#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>

#include "api/import_network.hpp"
#include "api/request.hpp"
#include "boundflow/model.hpp"
#include "engine/query_engine.hpp"
#include "report/compile_report.hpp"

namespace boundflow {

class ModelState {
 public:
  // `table`: of the network's operators; it outlives the state.
  ModelState(std::string name, ImportedNetwork network, const OperatorTable& table)
      : name_(std::move(name)), network_(std::move(network)), table_(table) {}

  const std::string& name() const { return name_; }
  const ImportedNetwork& network() const { return network_; }
  const OperatorTable& table() const { return table_; }
  std::int64_t inputs() const { return network_.source->size_of(network_.source->input()); }
  std::int64_t outputs() const { return network_.source->size_of(network_.source->output()); }

  // An engine for these questions, its storage plans checked: one that is kept from an earlier call, with the memory
  // that it works in, or else a new one. What nobody else may see is not kept: with a trace, with passes that print,
  // with an executor that counts what its kernels did. `report` gets how it was come by. StoppedError when the deadline
  // passes before it is compiled.
  std::shared_ptr<const QueryEngine> engine(const QueryEngine::Options& wanted, const Options& options,
                                            const Request& request, const Deadline& deadline,
                                            CompileReport& report) const;

 private:
  struct Kept {
    std::string backend;
    QueryEngine::Options options;
    std::shared_ptr<const QueryEngine> engine;
    bool serves(const std::string& other_backend, const QueryEngine::Options& wanted) const;
  };

  std::string name_;
  ImportedNetwork network_;
  const OperatorTable& table_;
  mutable std::mutex mutex_;
  mutable std::list<Kept> kept_;  // those used last first
};

// Where a call has its network from: a file that is read once its limits run, or memory.
struct ModelSource {
  std::string name;
  std::function<Model(const Request& request, const Deadline& deadline)> get;
};
ModelSource model_in_file(const std::string& path, const OperatorTable& table);
ModelSource model_in_memory(const Model& model);

}  // namespace boundflow
