// The command line: parses, calls the library, prints. Exit codes: 0 a verdict or result, 2 usage, 3 bad input,
// 4 unsupported, 70 not finished (memory, an output that fails, an internal error), 130 interrupted.

#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <optional>

#include "base/error.hpp"
#include "base/rational.hpp"
#include "boundflow/boundflow.hpp"
#include "tools/output.hpp"
#include "tools/process.hpp"

namespace {

using boundflow::ExitCode;

template <class T>
void add_option(CLI::App& app, const char* flag, T& member, const char* help) {
  app.add_option(flag, member, help);
}

void add_option(CLI::App& app, const char* flag, boundflow::ByteSize& member, const char* help) {
  app.add_option_function<std::string>(
      flag,
      [&member](const std::string& text) {
        std::string number = text;
        CLI::AsSizeValue(false)(number);
        try {
          member.bytes = std::stoll(number);
        } catch (const std::exception&) {
          throw CLI::ValidationError("expected a size such as 512M or 4G, found '" + text + "'");
        }
      },
      help);
}

void add_option(CLI::App& app, const char* flag, bool& member, const char* help) {
  app.add_flag(flag, member, help);
}

// CLI11 takes -1 for 2^64 - 1, and what is too large for the largest number.
void add_option(CLI::App& app, const char* flag, std::uint64_t& member, const char* help) {
  app.add_option_function<std::string>(
      flag,
      [&member](const std::string& text) {
        const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), member);
        if (fault != std::errc() || end != text.data() + text.size()) {
          throw CLI::ValidationError("expected a whole number from 0 to 2^64 - 1, found '" + text + "'");
        }
      },
      help);
}

void add_options(CLI::App& app, boundflow::Options& options) {
#define BOUNDFLOW_ADD_OPTION(type, member, flag, otherwise, help) add_option(app, flag, options.member, help);
  BOUNDFLOW_OPTIONS(BOUNDFLOW_ADD_OPTION)
#undef BOUNDFLOW_ADD_OPTION
}

boundflow::VerifyHooks interruptible() {
  boundflow::VerifyHooks hooks;
  hooks.interrupt = &boundflow::interrupt_flag();
  return hooks;
}

void limit_memory(const boundflow::Options& options) {
  if (options.memory.bytes > 0) boundflow::limit_memory(options.memory.bytes, std::max(options.threads, 1));
}

std::string progress_text(const boundflow::Progress& p) {
  return fmt::format("{:7.1f} s  {:<10}  open {:<8} closed {:<8} depth {:<4} worst bound {:<10.4g} {:>8.1f}/s",
                     p.elapsed_s, p.phase, p.open, p.closed, p.depth, p.worst_bound, p.subproblems_per_s);
}

// What is known where there is no verdict.
std::string end_text(const boundflow::Progress& p) {
  return fmt::format("open {}, closed {}, depth {}, worst bound {:.6g}", p.open, p.closed, p.depth, p.worst_bound);
}

int run_verify(const std::string& network, const std::string& property, const boundflow::Options& options) {
  boundflow::check_outputs({{"--counterexample", options.counterexample},
                            {"--json", options.json},
                            {"--profile", options.profile},
                            {"--report", options.report}},
                           {network, property, options.observe});
  boundflow::VerifyHooks hooks = interruptible();
  boundflow::ProgressLine line;
  if (isatty(STDERR_FILENO) != 0) {
    hooks.progress = [&](const boundflow::Progress& p) {
      if (p.elapsed_s >= 0.5) line.show(progress_text(p).c_str());
    };
  }
  const boundflow::VerifyResult result = boundflow::verify(network, property, options, hooks);
  line.erase();
  const bool sat = result.verdict == "sat";
  boundflow::Results results;
  // The verdict first: whatever happens to the files, it has been said.
  results.attempt([&] {
    boundflow::print(result.verdict + "\n" + (sat ? boundflow::assignment(result.counterexample) : std::string()));
  });
  if (!result.reason.empty()) std::fprintf(stderr, "%s: %s\n", result.verdict.c_str(), result.reason.c_str());
  if (result.progress.open > 0 && !sat) {
    std::fprintf(stderr, "%s: %s\n", result.verdict.c_str(), end_text(result.progress).c_str());
  }
  if (sat && !options.counterexample.empty()) {
    results.attempt(
        [&] { boundflow::write_result(options.counterexample, boundflow::assignment(result.counterexample)); });
  }
  if (!options.json.empty()) results.attempt([&] { boundflow::write_result(options.json, result.json); });
  if (!options.profile.empty()) results.attempt([&] { boundflow::write_result(options.profile, result.profile); });
  if (!options.report.empty()) results.attempt([&] { boundflow::write_result(options.report, result.report); });
  return results.exit_code(result.interrupted ? ExitCode::Interrupted : ExitCode::Ok);
}

// What the command line says of `bounds`, before files are read.
struct BoundsFlags {
  std::string network;
  std::string center;
  std::string eps;
  std::string lower;
  std::string upper;
  std::string specification;
  std::string out;
  boundflow::BoundsRequest request;
};

// No flag, no array; but a file must not be taken for none because it holds nothing.
boundflow::NumericArray read_flag(const std::string& path) {
  if (path.empty()) return {};
  boundflow::NumericArray array = boundflow::read_array(path);
  if (array.values.empty()) throw boundflow::InputError({.file = path}, "the array is empty");
  return array;
}

// The decimal rounded up, so that the ball holds the one that the user wrote.
double radius(const std::string& text) {
  const std::optional<boundflow::Rational> exact = boundflow::parse_decimal(text);
  const double rounded = exact ? boundflow::to_double_up(*exact) : -1;
  if (!(rounded >= 0) || !std::isfinite(rounded)) {
    throw boundflow::UsageError("--eps: expected a decimal number from 0 to 1e308, found '" + text + "'");
  }
  return rounded;
}

int run_bounds(BoundsFlags& flags, const boundflow::Options& options) {
  boundflow::check_outputs(
      {{"--out", flags.out}, {"--json", options.json}, {"--profile", options.profile}, {"--report", options.report}},
      {flags.network, flags.center, flags.lower, flags.upper, flags.specification});
  boundflow::BoundsRequest& request = flags.request;
  if (!flags.center.empty()) request.eps = radius(flags.eps);
  request.center = read_flag(flags.center).values;
  request.lower = read_flag(flags.lower).values;
  request.upper = read_flag(flags.upper).values;
  request.specification = read_flag(flags.specification);
  const boundflow::BoundsResult result = boundflow::bounds(flags.network, request, options, interruptible());
  boundflow::Results results;
  results.attempt([&] { boundflow::print(boundflow::to_table(result)); });
  if (result.queries == 0) {
    std::fprintf(stderr, "bounds: %s before the network was read; nothing is known\n", result.reason.c_str());
  } else if (!result.reason.empty()) {
    std::fprintf(stderr, "bounds: %s after %lld of %lld inputs; nothing is known of the others\n",
                 result.reason.c_str(), static_cast<long long>(result.complete),
                 static_cast<long long>(result.queries));
  }
  if (!flags.out.empty()) {
    results.attempt([&] { boundflow::write_result(flags.out, boundflow::to_npz(result)); });
  }
  if (!options.json.empty()) results.attempt([&] { boundflow::write_result(options.json, result.json); });
  if (!options.profile.empty()) results.attempt([&] { boundflow::write_result(options.profile, result.profile); });
  if (!options.report.empty()) results.attempt([&] { boundflow::write_result(options.report, result.report); });
  return results.exit_code(result.interrupted ? ExitCode::Interrupted : ExitCode::Ok);
}

int run_compile(const std::string& network, const std::string& stop_after, const boundflow::Options& options) {
  boundflow::check_outputs({{"--report", options.report}}, {network});
  const boundflow::CompileResult result = boundflow::compile(network, stop_after, options, interruptible());
  boundflow::Results results;
  results.attempt([&] { boundflow::print(result.text); });
  if (!options.report.empty()) results.attempt([&] { boundflow::write_result(options.report, result.report); });
  return results.exit_code(ExitCode::Ok);
}

void add_bounds_flags(CLI::App& bounds, BoundsFlags& flags) {
  boundflow::BoundsRequest& request = flags.request;
  bounds.add_option("network", flags.network, "The network, .onnx or .onnx.gz")->required();
  CLI::Option* center =
      bounds.add_option("--center", flags.center, "Centres of the input sets, [B, inputs] (.npy, .npz, F.npz:NAME)");
  CLI::Option* eps = bounds.add_option("--eps", flags.eps, "Radius around the centres");
  CLI::Option* norm = bounds.add_option("--norm", request.norm, "Norm of the radius: inf, 2 or 1; default: inf");
  CLI::Option* lower =
      bounds.add_option("--lower", flags.lower, "Lower ends of input boxes, [B, inputs], instead of centres");
  CLI::Option* upper = bounds.add_option("--upper", flags.upper, "Upper ends");
  center->needs(eps)->excludes(lower)->excludes(upper);
  eps->needs(center);
  norm->needs(center);
  lower->needs(upper);
  upper->needs(lower);
  bounds.add_option("--method", request.method, "ibp, crown-ibp, crown or alpha-crown")->default_val("crown");
  bounds.add_option("--steps", request.steps, "With alpha-crown: steps of optimisation for each row")->default_val(20);
  bounds
      .add_option("--intermediate", request.intermediate,
                  "With crown, which neurons get rows: adaptive (those unstable after one interval step) or auto-lirpa "
                  "(those unstable after interval steps from the input)")
      ->default_val("adaptive");
  bounds.add_option("--spec", flags.specification, "C: bound C y, [rows, outputs] or [B, rows, outputs]; default: y");
  CLI::Option* out = bounds.add_option("--out", flags.out, "Write all bounds to this .npz");
  bounds.add_flag("--linear-form", request.linear_form, "Also write linear bounds in the input to --out")->needs(out);
}

int run(int argc, char** argv) {
  CLI::App app("BoundFlow proves properties of neural networks: sound bounds, compiled.");
  app.set_version_flag("--version", "boundflow " + boundflow::version());
  app.require_subcommand(1);
  app.fallthrough();
  boundflow::Options options;
  add_options(app, options);

  std::string network;
  std::string property;
  CLI::App* verify = app.add_subcommand("verify", "Decide a property: prints unsat, sat, unknown or timeout");
  verify->add_option("network", network, "The network, .onnx or .onnx.gz")->required();
  verify->add_option("property", property, "The property, .vnnlib or .vnnlib.gz")->required();

  std::string stop_after;
  CLI::App* compile = app.add_subcommand("compile", "Print what a network is compiled to");
  compile->add_option("network", network, "The network, .onnx or .onnx.gz")->required();
  compile->add_option("--stop-after", stop_after, "network, program or plan")->default_val("plan");

  BoundsFlags bounds_flags;
  CLI::App* bounds = app.add_subcommand("bounds", "Bound the network's outputs, or rows C y of them, over input sets");
  add_bounds_flags(*bounds, bounds_flags);

  std::string inspected;
  CLI::App* inspect =
      app.add_subcommand("inspect", "Print a network, its counts, and which domains support its operators");
  inspect->add_option("network", inspected, "The network, .onnx or .onnx.gz; without it, all operators are listed");

  CLI::App* tune = app.add_subcommand("tune", "Measure kernels for a network, for --backend tvm and auto later on");
  tune->add_option("network", network, "The network, .onnx or .onnx.gz")->required();

  for (CLI::App* command : {verify, compile, bounds, inspect, tune}) {
    command->footer("Options of all commands, such as --timeout, --threads and --json: boundflow --help");
  }

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? 0 : static_cast<int>(ExitCode::Usage);
  }
  spdlog::set_default_logger(spdlog::stderr_logger_mt("boundflow"));
  spdlog::set_level(spdlog::level::from_str(options.log_level));
  limit_memory(options);

  if (*verify) return run_verify(network, property, options);
  if (*bounds) return run_bounds(bounds_flags, options);
  if (*compile) return run_compile(network, stop_after, options);
  if (*tune) {
    boundflow::print(boundflow::tune(network, options, interruptible()));
    return 0;
  }
  boundflow::print(boundflow::inspect(inspected, options, interruptible()));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    boundflow::prepare_process();
    return run(argc, argv);
  } catch (...) {
    return static_cast<int>(boundflow::report_exception());
  }
}
