#pragma once
// Asking onnxruntime, through the Python script of tests/golden.

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

namespace boundflow {

// BOUNDFLOW_PYTHON from the environment, else the virtual environment that scripts/setup.sh can make.
inline std::string python() {
  const char* from_environment = std::getenv("BOUNDFLOW_PYTHON");
  return from_environment != nullptr ? from_environment : std::string(BOUNDFLOW_SOURCE_DIR) + "/.venv/bin/python";
}

inline std::string quoted(const std::string& argument) {
  std::string result = "'";
  for (const char c : argument) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return result + "'";
}

// Runs the script; what it says goes into the files that the arguments name. Empty, or why there are no answers.
inline std::string ask_onnxruntime(const std::vector<std::string>& arguments) {
  if (!std::filesystem::exists(python())) {
    return "there is no " + python() + " (scripts/setup.sh --onnxruntime makes one)";
  }
  std::string command =
      quoted(python()) + " " + quoted(std::string(BOUNDFLOW_SOURCE_DIR) + "/tests/golden/onnxruntime_oracle.py");
  for (const std::string& argument : arguments) command += " " + quoted(argument);
  const int status = std::system(command.c_str());
  if (WIFEXITED(status) && WEXITSTATUS(status) == 77) return python() + " has no onnxruntime";
  EXPECT_EQ(status, 0);
  return "";
}

}  // namespace boundflow
