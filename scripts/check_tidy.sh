#!/usr/bin/env bash
# clang-tidy 14 (.clang-tidy) on the rooms of src/, and tools/, with files that differ from BASE; on all of them with --all.
# Usage: check_tidy.sh [--all | BASE]   (BASE: a commit; default: origin/main, and HEAD~1 where there is none)
set -euo pipefail
cd "$(dirname "$0")/.."

build=build/dev
[[ -f $build/compile_commands.json ]] || cmake --preset dev >/dev/null
# The generated header of the ONNX schema has to be there to be included.
cmake --build "$build" --target src/generated/onnx_schema.pb.h >/dev/null

rooms=()
if [[ ${1:-} == --all ]]; then
  mapfile -t rooms < <(find src -mindepth 1 -maxdepth 1 -type d | sort; echo tools)
else
  base=${1:-}
  for candidate in origin/main HEAD~1; do
    # A clone that is its own origin's head is compared with the commit before.
    [[ -n $base && $base != "$(git rev-parse HEAD)" ]] ||
      base=$(git rev-parse --verify --quiet "$candidate^{commit}") || true
  done
  if [[ -z $base ]]; then
    echo "check_tidy: neither origin/main nor an earlier commit is known; checking src/base and src/check"
    rooms=(src/base src/check)
  else
    mapfile -t rooms < <({ git diff --name-only "$base" -- '*.cpp' '*.hpp'
      git ls-files --others --exclude-standard -- '*.cpp' '*.hpp'; } | grep -oE '^(src/[^/]+|tools)/' | sed 's|/$||' | sort -u)
  fi
fi
[[ ${#rooms[@]} -gt 0 ]] || { echo "check_tidy: no room has changed"; exit 0; }
mapfile -t files < <(find "${rooms[@]}" -name '*.cpp' | sort)
echo "check_tidy: ${rooms[*]} (${#files[@]} files)"
# Warnings of system headers are counted on standard error; what is left there matters to nobody.
printf '%s\0' "${files[@]}" | xargs -0 -n 4 -P "$(nproc)" clang-tidy-14 -p "$build" --quiet 2>/dev/null
