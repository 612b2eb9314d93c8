// What a user of the library writes: decide two properties, bound the outputs, tell errors apart.
// Usage: consumer FOLDER, the one of examples/digits. Prints one line per answer; exit code 1 at the first wrong one.
#include <boundflow/boundflow.hpp>
#include <cstdio>
#include <stdexcept>
#include <string>

namespace {

void expect(bool holds, const std::string& what) {
  std::printf("%s: %s\n", what.c_str(), holds ? "yes" : "NO");
  if (!holds) throw std::runtime_error("not as expected: " + what);
}

void verify_properties(const std::string& folder) {
  boundflow::Options options;
  options.timeout = 60;
  options.threads = 2;
  int reports = 0;
  boundflow::VerifyHooks hooks;
  hooks.progress = [&](const boundflow::Progress& progress) { reports += progress.open >= 0 ? 1 : 0; };
  const std::string network = folder + "/digits_mlp.onnx";
  const auto proved = boundflow::verify(network, folder + "/proved.vnnlib", options, hooks);
  expect(proved.verdict == "unsat", "proved.vnnlib is unsat");
  expect(proved.json.find("\"schema\"") != std::string::npos, "the report is there");
  const auto violated = boundflow::verify(network, folder + "/violated.vnnlib", options, hooks);
  expect(violated.verdict == "sat", "violated.vnnlib is sat");
  expect(violated.counterexample.input.size() == 64, "its input has 64 pixels");
  expect(boundflow::assignment(violated.counterexample).find("(Y_9 ") != std::string::npos, "the assignment is whole");
}

void bound_outputs(const std::string& folder) {
  boundflow::BoundsRequest request;
  request.center = boundflow::read_array(folder + "/image.npy").values;
  request.eps = 0.04;
  request.specification = boundflow::read_array(folder + "/differences.npy");
  const auto result = boundflow::bounds(folder + "/digits_mlp.onnx", request, {});
  bool positive = result.rows == 9 && result.complete == 1;
  for (const double bound : result.lower) positive = positive && bound > 0;
  expect(positive, "the image keeps its class");
}

void tell_errors_apart(const std::string& folder) {
  try {
    boundflow::inspect(folder + "/absent.onnx");
  } catch (const boundflow::Error& error) {
    expect(error.code() == boundflow::ExitCode::BadInput, "a missing file is bad input");
    return;
  }
  expect(false, "a missing file raises an error");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  try {
    std::printf("version %s\n", boundflow::version().c_str());
    verify_properties(argv[1]);
    bound_outputs(argv[1]);
    tell_errors_apart(argv[1]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
