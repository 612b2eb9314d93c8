#include <fmt/format.h>

#include "api/model_state.hpp"
#include "api/report_page.hpp"
#include "boundflow/boundflow.hpp"
#include "report/html/page.hpp"
#include "report/program_report.hpp"

namespace boundflow {

namespace {

CompileResult compile(const ModelSource& model_source, const std::string& stop_after, const Options& options,
                      const VerifyHooks& hooks) {
  CompileResult result;  // its text: what --print-after asks for, then what the compilation ends with
  const Request request =
      validate(options, Workload::Once, [&](const std::string& printed) { result.text += printed; });
  const Deadline deadline(options.timeout, Clock::now(), hooks.interrupt);
  if (stop_after != "network" && stop_after != "program" && stop_after != "plan") {
    throw UsageError("--stop-after: expected network, program or plan, found '" + stop_after + "'");
  }
  const Model model = model_source.get(request, deadline);
  const ImportedNetwork& network = model.state().network();
  const OperatorTable& table = model.state().table();
  Page page = page_of_command("compile", model_source.name);
  if (!options.report.empty()) add_network(page, *network.source, *network.normal);
  const auto end_with = [&](const std::string& text) {
    if (!result.text.empty()) result.text += fmt::format("=== {}\n", stop_after);
    result.text += text;
  };
  if (stop_after == "network") {
    end_with(print(*network.normal));
  } else {
    const PlanSource source{
        .network = network.normal, .executor = request.executor, .program_passes = request.program_passes};
    const BoundProgram program =
        run_program_passes(lower_bounds(LoweredNetwork(source.network, table, deadline), source.lowering),
                           source.program_passes, deadline);
    const StoragePlan plan = plan_storage(program, source.executor->element_bytes());
    const std::string key = to_hex(plan_key(source, network_digest(*source.network, deadline)));
    end_with(fmt::format("key {}\n{}", key, stop_after == "program" ? print(program) : print(program, plan)));
    add_program(page, "Bounds in float32", program, plan, nullptr);
    result.json = to_json({.version = version(),
                           .network = model_source.name,
                           .key = key,
                           .executor = std::string(source.executor->name()),
                           .program = page.programs.back()});
  }
  if (!options.report.empty()) result.report = to_html(page);
  return result;
}

}  // namespace

CompileResult compile(const std::string& network_path, const std::string& stop_after, const Options& options,
                      const VerifyHooks& hooks) {
  return compile(model_in_file(network_path, operator_table()), stop_after, options, hooks);
}

CompileResult compile(const Model& network, const std::string& stop_after, const Options& options,
                      const VerifyHooks& hooks) {
  return compile(model_in_memory(network), stop_after, options, hooks);
}

}  // namespace boundflow
