#!/usr/bin/env bash
# Builds BoundFlow (and installs what that needs) and verifies examples/digits: one property holds, the other does not.
set -euo pipefail
cd "$(dirname "$0")/.."

boundflow=build/release/tools/boundflow
log=build/verify_example.log

build() {
  mkdir -p build
  echo "Building $boundflow (a few minutes the first time; log: $log) ..."
  if ! { cmake --preset release && cmake --build --preset release --target boundflow --parallel "$(nproc)"; } \
    >"$log" 2>&1; then
    tail -n 30 "$log" >&2
    echo "The build failed; the whole log is in $log." >&2
    return 1
  fi
}

# verify PROPERTY EXPECTED: the command as one would type it, its verdict, and the first lines of a counterexample.
verify() {
  local command=("$boundflow" verify examples/digits/digits_mlp.onnx "examples/digits/$1" --timeout 60) output verdict
  printf '\n$ %s\n' "${command[*]}"
  output=$("${command[@]}")
  printf '%s\n' "$output" | awk 'NR <= 4; END { if (NR > 4) print "... (" NR - 4 " more lines)" }'
  verdict=${output%%$'\n'*}
  if [[ $verdict != "$2" ]]; then
    echo "expected $2" >&2
    return 1
  fi
}

scripts/setup.sh
build
verify proved.vnnlib unsat
verify violated.vnnlib sat
