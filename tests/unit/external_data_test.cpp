// Constants whose elements lie in another file: the same network as with all in one file, or an error that says why
// not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <string>

#include "base/error.hpp"
#include "ir/network.hpp"
#include "support/onnx_model.hpp"
#include "support/temp_folder.hpp"

namespace boundflow {
namespace {

using testing::HasSubstr;

// The elements' bytes, which the tensor no longer has.
std::string take_bytes(onnx::TensorProto& tensor) {
  std::string bytes(static_cast<std::size_t>(tensor.float_data_size()) * sizeof(float), '\0');
  std::memcpy(bytes.data(), tensor.float_data().data(), bytes.size());
  tensor.clear_float_data();
  tensor.set_data_location(1);
  return bytes;
}

void say(onnx::TensorProto& tensor, const std::string& key, const std::string& value) {
  auto* entry = tensor.add_external_data();
  entry->set_key(key);
  entry->set_value(value);
}

class ExternalDataTest : public testing::Test {
 protected:
  onnx::TensorProto& weights() { return *model_.graph()->mutable_initializer(0); }
  std::string read() { return print(read_onnx(folder_.write("net.onnx", model_.bytes()))); }
  std::string message() {
    try {
      read();
    } catch (const InputError& error) {
      return error.what();
    }
    return "no error";
  }

  TempFolder folder_;
  OnnxModel model_ = gemm_relu_model();
};

TEST_F(ExternalDataTest, TheNetworkIsThatOfOneFile) {
  const std::string whole = read();
  const std::string elements = take_bytes(weights());
  std::filesystem::create_directory(folder_.path("data"));
  folder_.write("data/w.bin", "12345678" + elements + "rest");
  say(weights(), "location", "data/w.bin");
  say(weights(), "offset", "8");
  say(weights(), "length", std::to_string(elements.size()));
  EXPECT_EQ(read(), whole);
}

TEST_F(ExternalDataTest, WithoutOffsetAndLengthItIsTheWholeFile) {
  const std::string whole = read();
  folder_.write("w.bin", take_bytes(weights()));
  say(weights(), "location", "w.bin");
  EXPECT_EQ(read(), whole);
}

TEST_F(ExternalDataTest, WhatIsMissingIsNamed) {
  const std::string elements = take_bytes(weights());
  EXPECT_THAT(message(), HasSubstr("constant 'W' (initializer): its external data has no location"));
  say(weights(), "location", "w.bin");
  EXPECT_THAT(message(), HasSubstr("w.bin' is not there"));
  folder_.write("w.bin", elements.substr(1));
  EXPECT_THAT(message(), HasSubstr("it needs 24 bytes, and has 23 at 0 in "));
  say(weights(), "length", "24");
  EXPECT_THAT(message(), HasSubstr("a file of 23 bytes"));
  say(weights(), "offset", "18446744073709551615");
  EXPECT_THAT(message(), HasSubstr("it needs 24 bytes, and has 24 at 18446744073709551615 in "));
  say(weights(), "offset", "-1");
  EXPECT_THAT(message(), HasSubstr("has offset '-1'; a number of bytes is expected"));
}

TEST_F(ExternalDataTest, OnlyFilesBelowTheModelAreRead) {
  const std::string elements = take_bytes(weights());
  for (const std::string location : {"../w.bin", "a/../../w.bin", "/etc/passwd"}) {
    weights().clear_external_data();
    say(weights(), "location", location);
    EXPECT_THAT(message(), HasSubstr("a file in the model's folder is expected")) << location;
  }
  // The message ends where the text of an exception does.
  weights().clear_external_data();
  say(weights(), "location", std::string("w\0.bin", 6));
  EXPECT_THAT(message(), HasSubstr("its data is said to lie in 'w"));
}

TEST_F(ExternalDataTest, BytesAloneHaveNoFolder) {
  take_bytes(weights());
  say(weights(), "location", "w.bin");
  try {
    model_.import();
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("its data lies in another file, 'w.bin'; give the model's path"));
  }
}

TEST_F(ExternalDataTest, ElementsInTwoPlacesAreRefused) {
  const std::string elements = take_bytes(weights());
  folder_.write("w.bin", elements);
  say(weights(), "location", "w.bin");
  weights().set_raw_data(elements);
  EXPECT_THAT(message(), HasSubstr("has both raw and external data"));
}

}  // namespace
}  // namespace boundflow
