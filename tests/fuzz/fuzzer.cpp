// libFuzzer's entry points for one target, whose name the build passes as BOUNDFLOW_FUZZ_TARGET.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "fuzz/mutators.hpp"
#include "fuzz/targets.hpp"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace {

const boundflow::FuzzTarget& target() {
  static const boundflow::FuzzTarget& chosen = boundflow::fuzz_target(BOUNDFLOW_FUZZ_TARGET);
  return chosen;
}

}  // namespace

// A failed expectation becomes an exception that nobody catches, which libFuzzer takes for a crash.
extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  testing::InitGoogleTest(argc, *argv);
  testing::GTEST_FLAG(throw_on_failure) = true;
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  target().run({data, size});
  return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned int seed) {
  boundflow::Random random(seed);
  std::optional<std::string> mutated;
  if (target().kind == boundflow::InputKind::OnnxFile && random.integer(0, 3) > 0) {
    mutated = boundflow::mutate_model({reinterpret_cast<const char*>(data), size}, random);
  }
  if (target().kind == boundflow::InputKind::Choices && random.integer(0, 3) == 0) {
    mutated = boundflow::fresh_choices(max_size, random);
  }
  if (!mutated || mutated->empty() || mutated->size() > max_size) return LLVMFuzzerMutate(data, size, max_size);
  std::memcpy(data, mutated->data(), mutated->size());
  return mutated->size();
}
