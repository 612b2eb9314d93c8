#!/usr/bin/env bash
# clang-tidy 14 (.clang-tidy) on the files of src/, include/, tools/ and python/ that differ from BASE; on all of them with
# --all. Files that the build leaves out (of the plugin without TVM, of the module without Python) are not seen.
# Usage: check_tidy.sh [--seconds N] [--all | BASE]
#
# It ends after N seconds: files that were not seen by then are named, and are no failure.
#
# BASE is a commit. By default it is where HEAD left origin/main; where HEAD is part of origin/main, as in a clone that
# was made to check it, the first-parent commit ten before HEAD. Without so much history, as in a shallow clone, all
# files are checked. What is not committed counts as different, too. A header is checked within one source file.
set -euo pipefail
cd "$(dirname "$0")/.."

end=
if [[ ${1:-} == --seconds ]]; then
  seconds=${2:?--seconds needs a number}
  end=$(($(date +%s) + seconds))
  shift 2
fi

# Of its own: clang-tidy cannot read what another compiler has precompiled.
build=build/tidy
cmake -S . -B "$build" -G Ninja -DBOUNDFLOW_PRECOMPILE=OFF >/dev/null
# The generated header of the ONNX schema has to be there to be included.
cmake --build "$build" --target onnx_schema >/dev/null

base=${1:-}
if [[ -z $base ]]; then
  base=$(git merge-base HEAD origin/main 2>/dev/null) || base=$(git rev-parse HEAD)
  if [[ $base == "$(git rev-parse HEAD)" ]]; then
    base=$(git rev-parse --verify --quiet HEAD~10) || base=--all
  fi
fi

# The source file that shows a header: its own, else one that includes it, directly or not.
source_with() {
  local file=$1
  while [[ $file == *.hpp ]]; do
    local own=${file%.hpp}.cpp name=${file#src/}
    [[ ! -f $own ]] || { echo "$own"; return; }
    file=$(grep -rlF --include='*.[ch]pp' "\"${name#include/}\"" src include tools python | sort -t . -k 2 | head -n 1 || true)
  done
  echo "$file"
}

if [[ $base == --all ]]; then
  files=$(find src tools python -name '*.cpp' | sort)
else
  git rev-parse --verify --quiet "$base^{commit}" >/dev/null || { echo "check_tidy: no commit $base" >&2; exit 2; }
  changed=$({ git diff --name-only --diff-filter=d "$base"; git ls-files --others --exclude-standard; } |
    grep -E '^(src|include|tools|python)/.*\.[ch]pp$' || true)
  files=$(while read -r file; do
    case $file in
      *.cpp) echo "$file" ;;
      *.hpp) source_with "$file" ;;
    esac
  done <<<"$changed" | sort -u)
fi
# Without the flags of a build nothing can be said.
files=$(while read -r file; do
  if [[ -n $file ]] && grep -qF "\"$PWD/$file\"" "$build/compile_commands.json"; then echo "$file"; fi
done <<<"$files")
[[ -n $files ]] || { echo "check_tidy: no source file has changed since $base"; exit 0; }
[[ $base == --all ]] || against=" that differ from $base, or show a header that does"
echo "check_tidy: $(wc -l <<<"$files") source files${against:-}"

# see FILE: prints what is found in it, and fails if something is.
see() {
  local left=0 found status=0  # timeout 0: no limit
  if [[ -n $end ]]; then
    left=$((end - $(date +%s)))
    ((left > 0)) || { echo "$1" >>"$not_seen"; return; }
  fi
  found=$(timeout "$left" clang-tidy-14 -p "$build" --quiet "$1" 2>&1) || status=$?
  case $status in
    0) ;;
    124) echo "$1" >>"$not_seen" ;;
    # Warnings of system headers are counted, which matters to nobody.
    *) grep -vE '^[0-9]+ warnings? generated\.$' <<<"$found"; return 1 ;;
  esac
}
export -f see
not_seen=$(mktemp)
trap 'rm -f "$not_seen"' EXIT
export build not_seen end

result=0
xargs -P "$(nproc)" -I{} bash -c 'see {}' <<<"$files" || result=1
if [[ -s $not_seen ]]; then
  echo "check_tidy: NOT SEEN, since $seconds s had passed: $(wc -l <"$not_seen") source files: $(sort "$not_seen" | tr '\n' ' ')"
fi
exit $result
