#!/usr/bin/env bash
# Checks the format of every C++ file in git with clang-format 14 (another version formats differently).
# Usage: check_format.sh [--fix]
set -euo pipefail
cd "$(dirname "$0")/.."

action=(--dry-run -Werror)
[[ ${1:-} != --fix ]] || action=(-i)

for candidate in clang-format-14 clang-format ''; do
  [[ $("$candidate" --version 2>/dev/null) != *"version 14."* ]] || break
done
if [[ -z $candidate ]]; then
  echo "check_format: clang-format 14 is not installed (scripts/setup.sh installs it)" >&2
  exit 1
fi

files=()
while IFS= read -r -d '' file; do
  [[ ! -f $file ]] || files+=("$file")  # a deleted file stays in the index until the commit
done < <(git ls-files -z --cached --others --exclude-standard -- '*.cpp' '*.hpp' '*.h')
[[ ${#files[@]} -eq 0 ]] || "$candidate" "${action[@]}" "${files[@]}"
