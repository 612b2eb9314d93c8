#include "boundflow/model.hpp"

#include <fmt/format.h>
#include <tbb/task_arena.h>

#include <atomic>
#include <cmath>

#include "api/inspect.hpp"
#include "api/model_state.hpp"
#include "api/process_plans.hpp"
#include "base/parallel.hpp"
#include "ops/structural_hash.hpp"

namespace boundflow {

namespace {

std::size_t at(std::int64_t i) {
  return static_cast<std::size_t>(i);
}

TensorInfo info(const Network& network, ValueId id) {
  const Value& value = network.value(id);
  return {value.name, std::string(to_string(value.type.dtype)), value.type.shape, network.size_of(id)};
}

// How many points of the network's input the numbers are.
std::int64_t count_points(std::size_t size, std::int64_t inputs, std::string_view name) {
  const auto count = static_cast<std::int64_t>(size);
  if (count % inputs != 0) {
    throw InputError(
        fmt::format("{} has {} elements; a multiple of the network's {} inputs is expected", name, count, inputs));
  }
  return count / inputs;
}

Tensor input_tensor(const Network& network, const double* point) {
  const TensorType& type = network.value(network.input()).type;
  const std::int64_t n = network.size_of(network.input());
  if (type.dtype == DType::Float64) return Tensor(type.shape, std::vector<double>(point, point + n));
  return Tensor(type.shape, std::vector<float>(point, point + n));
}

}  // namespace

Model Model::load(const std::string& network_path, const Options& options, const VerifyHooks& hooks) {
  const Request request = validate(options, Workload::None);
  const Deadline deadline(options.timeout, Clock::now(), hooks.interrupt);
  return model_in_file(network_path, operator_table()).get(request, deadline);
}

Model Model::parse(std::string_view bytes, const std::string& name, const Options& options, const VerifyHooks& hooks) {
  const Request request = validate(options, Workload::None);
  const Deadline deadline(options.timeout, Clock::now(), hooks.interrupt);
  ImportedNetwork network = import_bytes(bytes, name, deadline, operator_table(), request.network_passes);
  return Model(std::make_shared<const ModelState>(name, std::move(network), operator_table()));
}

Model::Model(std::shared_ptr<const ModelState> state) : state_(std::move(state)) {}

const std::string& Model::name() const {
  return state_->name();
}

TensorInfo Model::input() const {
  const Network& network = *state_->network().source;
  return info(network, network.input());
}

TensorInfo Model::output() const {
  const Network& network = *state_->network().source;
  return info(network, network.output());
}

std::int64_t Model::parameters() const {
  return parameter_count(*state_->network().source);
}

std::string Model::text(bool normal) const {
  return print(normal ? *state_->network().normal : *state_->network().source);
}

std::string Model::inspect() const {
  return inspection(name(), *state_->network().source, Deadline());
}

std::string Model::structural_hash() const {
  return to_hex(boundflow::structural_hash(*state_->network().normal, state_->table(), HashedConstants::Shapes));
}

std::string Model::content_hash() const {
  return to_hex(boundflow::structural_hash(*state_->network().normal, state_->table(), HashedConstants::Content));
}

std::vector<double> Model::evaluate(const Numbers& points, const Options& options, const VerifyHooks& hooks) const {
  const Request request = validate(options, Workload::None);
  const Deadline deadline(options.timeout, Clock::now(), hooks.interrupt);
  const Network& network = *state_->network().source;
  const std::int64_t inputs = state_->inputs();
  const std::int64_t outputs = state_->outputs();
  const std::int64_t count = count_points(points.size(), inputs, "points");
  const std::vector<double> all = points.copy();
  std::vector<double> result(at(count * outputs));
  tbb::task_arena workers(request.threads);
  workers.execute([&] {
    parallel_for(count, [&](std::int64_t b) {
      deadline.check();
      const auto values = evaluate_network(network, input_tensor(network, all.data() + b * inputs), state_->table());
      const Tensor& output = values[at(network.output())];
      for (std::int64_t j = 0; j < outputs; ++j) result[at(b * outputs + j)] = output.at(j);
    });
  });
  return result;
}

GradientResult Model::gradient(const Numbers& points, const Numbers& cotangents, const Options& options,
                               const VerifyHooks& hooks) const {
  const Request request = validate(options, Workload::Search);
  const Deadline deadline(options.timeout, Clock::now(), hooks.interrupt);
  const std::int64_t inputs = state_->inputs();
  const std::int64_t outputs = state_->outputs();
  const std::int64_t count = count_points(points.size(), inputs, "points");
  if (static_cast<std::int64_t>(cotangents.size()) != count * outputs) {
    throw InputError(fmt::format("cotangents has {} elements; {} for each of {} points are expected", cotangents.size(),
                                 outputs, count));
  }
  const std::vector<double> all = points.copy();
  const std::vector<double> weights = cotangents.copy();
  const QueryEngine::Options engine_options{
      .max_block_bytes = std::min(QueryEngine::kMostBlockBytes, request.memory_bytes / 8 / request.threads),
      .program_passes = request.program_passes,
      .plans = &process_plans(request.memory_bytes)};
  CompileReport compiled;
  const auto engine = state_->engine(engine_options, options, request, deadline, compiled);
  GradientResult result{std::vector<double>(at(count * outputs)), std::vector<double>(at(count * inputs))};
  // Pieces for the workers, none so long that a limit is late.
  constexpr std::int64_t kPiece = 64;
  std::atomic<bool> complete{true};
  tbb::task_arena workers(request.threads);
  workers.execute([&] {
    parallel_for((count + kPiece - 1) / kPiece, [&](std::int64_t p) {
      const std::int64_t begin = p * kPiece;
      const std::int64_t size = std::min(kPiece, count - begin);
      const auto choose = [&](std::int64_t first, std::span<const double>, std::span<double> chosen) {
        std::copy_n(weights.data() + (begin + first) * outputs, chosen.size(), chosen.data());
      };
      const bool done =
          engine->gradient(std::span(all).subspan(at(begin * inputs), at(size * inputs)), size, choose,
                           std::span(result.outputs).subspan(at(begin * outputs), at(size * outputs)),
                           std::span(result.gradients).subspan(at(begin * inputs), at(size * inputs)), deadline);
      if (!done) complete = false;
    });
  });
  if (!complete) throw StoppedError(deadline.interrupted());
  return result;
}

}  // namespace boundflow
