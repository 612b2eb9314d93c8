#!/usr/bin/env bash
# Builds the fuzzers (and installs what that needs) and runs each for some time, as many at once as there are cores.
# What they learn stays in build/fuzz/work; what fails is kept in build/fuzz/failures, and the exit code is 1.
# Usage: fuzz.sh [--seconds 60] [onnx|vnnlib|bounds|executors|verdict ...]
set -euo pipefail
cd "$(dirname "$0")/.."

export ASAN_SYMBOLIZER_PATH=/usr/lib/llvm-14/bin/llvm-symbolizer seconds=60
if [[ ${1:-} == --seconds ]]; then
  seconds=${2:?--seconds needs a number}
  shift 2
fi
targets=("$@")
[[ ${#targets[@]} -gt 0 ]] || targets=(onnx vnnlib bounds executors verdict)

scripts/setup.sh --fuzz
cmake --preset fuzz
cmake --build --preset fuzz --parallel "$(nproc)"

# Seeds: generated files and choices, the examples, and every file that was wrong before, here or in the error tests.
rm -rf build/fuzz/seeds
build/fuzz/tests/fuzz/write_fuzz_files seeds build/fuzz/seeds
for kind in onnx vnnlib; do
  find examples tests/fuzz/corpus tests/error -type f -name "*.$kind" -size -64k | while IFS= read -r file; do
    cp "$file" "build/fuzz/seeds/$kind/$(tr / _ <<< "$file")"
  done
done

# run_target NAME: one fuzzer; its output goes to build/fuzz/NAME.log, one line of figures to standard output.
run_target() {
  local target=$1 options=() log=build/fuzz/$1.log
  mkdir -p "build/fuzz/work/$target" "build/fuzz/failures"
  case "$target" in
    onnx | vnnlib) options=(-dict="tests/fuzz/$target.dict" -max_len=65536) ;;
    *) options=(-max_len=2000 -len_control=0) ;;
  esac
  if ! ASAN_OPTIONS=quarantine_size_mb=32:detect_leaks=1 "build/fuzz/tests/fuzz/fuzz_$target" \
    -max_total_time="$seconds" -seed=1 -timeout=60 -rss_limit_mb=2048 -malloc_limit_mb=1024 -print_final_stats=1 \
    -artifact_prefix="build/fuzz/failures/$target-" "${options[@]}" \
    "build/fuzz/work/$target" "build/fuzz/seeds/$target" >"$log" 2>&1; then
    grep -v '^#' "$log" | tail -n 60
    echo "$target: FAILED; scripts/shrink_failure.py $target FILE makes the input above small"
    return 1
  fi
  awk -v target="$target" '
    /stat::number_of_executed_units/ { runs = $2 }
    /stat::average_exec_per_sec/ { rate = $2 }
    /stat::peak_rss_mb/ { memory = $2 }
    / cov: / { for (i = 1; i < NF; ++i) if ($i == "cov:") edges = $(i + 1) }
    END { printf "%-10s %9d executions, %6d per second, %6d edges, %4d MB\n", target, runs, rate, edges, memory }' "$log"
}
export -f run_target

printf '%s\n' "${targets[@]}" | xargs -P "$(nproc)" -I{} bash -c 'run_target {}' ||
  { echo "fuzz: a fuzzer has failed" >&2; exit 1; }
echo "fuzz: ${#targets[@]} fuzzers found nothing in $seconds s each"
