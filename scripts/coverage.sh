#!/usr/bin/env bash
# Line coverage of src/ by the fast tests: builds with the preset `coverage`, runs the tests, prints a table, and fails
# below the limits of check_coverage.py. The lines that nothing runs are listed in build/coverage/lines.txt.
# Usage: coverage.sh [--no-tests]   (--no-tests: only report the last run)
set -euo pipefail
cd "$(dirname "$0")/.."

build=build/coverage
if [[ ${1:-} != --no-tests ]]; then
  scripts/setup.sh --checks
  cmake --preset coverage
  cmake --build --preset coverage --parallel "$(nproc)"
  find "$build" -name '*.gcda' -delete
  ctest --preset coverage --parallel 2
fi
# Counters are not atomic (src/CMakeLists.txt): what threads lose of them may leave a branch with a negative count, about
# which gcovr complains; lines keep their counts.
gcovr --root . --filter src/ --exclude '.*\.pb\.(h|cc)' --object-directory "$build" -j "$(nproc)" \
  --gcov-ignore-parse-errors --exclude-throw-branches --json "$build/coverage.json" "$build" \
  2>"$build/gcovr.log" || { cat "$build/gcovr.log" >&2; exit 1; }
python3 scripts/check_coverage.py "$build/coverage.json" --lines "$build/lines.txt"
