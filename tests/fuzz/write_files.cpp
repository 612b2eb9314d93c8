// write_fuzz_files case CHOICES PREFIX: the files that a fuzzer of graphs made of its input, as PREFIX.onnx and
// PREFIX.vnnlib. write_fuzz_files seeds FOLDER: inputs to start from, in a folder per target.
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "fuzz/graph_case.hpp"
#include "fuzz/mutators.hpp"
#include "fuzz/targets.hpp"
#include "ops/operator.hpp"
#include "support/network_file.hpp"

namespace boundflow {
namespace {

void write(const std::filesystem::path& path, const std::string& content) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream file(path, std::ios::binary);
  file << content;
  if (!file.flush()) throw InputError({path.string()}, "cannot be written");
}

void write_case(const std::string& choices, const std::string& prefix) {
  std::ifstream file(choices, std::ios::binary);
  if (!file) throw InputError({choices}, "cannot be read");
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  Random random(std::span(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()));
  const GraphCase files = make_graph_case(random);
  write(prefix + ".onnx", files.onnx);
  write(prefix + ".vnnlib", files.vnnlib);
}

// Small files of every operator and every generator, and choices.
void write_seeds(const std::filesystem::path& folder) {
  for (const Operator& op : operator_table().all()) {
    for (std::uint64_t seed = 0; op.sample != nullptr && !op.internal && seed < 3; ++seed) {
      Random random(seed);
      write(folder / "onnx" / (std::string(op.name) + std::to_string(seed)), to_onnx(op.sample(random)).bytes());
    }
  }
  Random random(0);
  for (int i = 0; i < 40; ++i) {
    const std::string bytes = fresh_choices(2000, random);
    Random choices(std::span(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()));
    const GraphCase files = make_graph_case(choices);
    for (const FuzzTarget& target : fuzz_targets()) {
      const std::string& seed = target.kind == InputKind::Choices      ? bytes
                                : target.kind == InputKind::VnnlibFile ? files.vnnlib
                                                                       : files.onnx;
      write(folder / target.name / ("case" + std::to_string(i)), seed);
    }
  }
}

}  // namespace
}  // namespace boundflow

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  try {
    if (arguments.size() == 3 && arguments[0] == "case") {
      boundflow::write_case(arguments[1], arguments[2]);
    } else if (arguments.size() == 2 && arguments[0] == "seeds") {
      boundflow::write_seeds(arguments[1]);
    } else {
      std::cerr << "usage: write_fuzz_files case CHOICES PREFIX | seeds FOLDER\n";
      return 2;
    }
  } catch (const boundflow::Error& error) {
    std::cerr << error.what() << "\n";
    return static_cast<int>(error.code());
  }
  return 0;
}
