#pragma once
// Tests that need TVM skip where BoundFlow is built without it.

#include <gtest/gtest.h>

#ifdef BOUNDFLOW_WITH_TVM
#define BOUNDFLOW_SKIP_WITHOUT_TVM() static_cast<void>(0)
#else
#define BOUNDFLOW_SKIP_WITHOUT_TVM() GTEST_SKIP() << "built without TVM (scripts/setup.sh --tvm installs it)"
#endif
