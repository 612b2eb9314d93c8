#!/usr/bin/env bash
# Builds the reference of the public headers with Doxygen (build/docs/html), whose every warning is an error, and checks
# the links of README.md and docs/.
set -euo pipefail
cd "$(dirname "$0")/.."

command -v doxygen >/dev/null || {
  echo "check_docs: doxygen is not installed (scripts/setup.sh --checks installs it)" >&2
  exit 1
}
python3 scripts/check_links.py README.md docs/*.md
mkdir -p build/docs
doxygen docs/Doxyfile
