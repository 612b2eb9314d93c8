#!/usr/bin/env bash
# Builds BoundFlow with its tests (and installs what that needs) and runs them.
# Usage: run_tests.sh [--preset release|dev|asan-ubsan|tsan|coverage] [ctest options]
set -euo pipefail
cd "$(dirname "$0")/.."

preset=release
if [[ ${1:-} == --preset ]]; then
  preset=${2:?--preset needs a name: release, dev, asan-ubsan, tsan or coverage}
  shift 2
fi

scripts/setup.sh
cmake --preset "$preset"
cmake --build --preset "$preset" --parallel "$(nproc)"
ctest --preset "$preset" --parallel 2 "$@"
