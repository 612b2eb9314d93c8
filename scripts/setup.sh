#!/usr/bin/env bash
# Installs what BoundFlow needs to be built and tested on Debian 12. Does nothing where everything is there already.
# With --onnxruntime it also makes .venv, with which the tests compare imported networks against onnxruntime; with
# --python .venv gets what the Python module is built and tested with; with --tvm it gets TVM, with which `--backend tvm`
# is built and runs (large, and needs no Python at run time); with --checks it also installs what the checks of
# documentation, style, coverage, threads and pages need (Chromium among it: 120 MB to load), with --fuzz the compiler
# that the fuzzers need. With --torch it makes a folder with torch for the tests of the Python package, outside the tree and
# for all trees, and prints its path (540 MB to load, 1.3 GB).
set -euo pipefail

requirements=()  # files of Python packages for .venv
checks=no
fuzz=no
torch=no
for option in "$@"; do
  case "$option" in
    --onnxruntime) requirements+=(tests/golden/requirements.txt) ;;
    --tvm) requirements+=(src/codegen/requirements.txt) ;;
    --python) requirements+=(python/requirements.txt) ;;
    --checks) checks=yes ;;
    --fuzz) fuzz=yes ;;
    --torch) torch=yes ;;
    *)
      echo "usage: scripts/setup.sh [--onnxruntime] [--tvm] [--python] [--torch] [--checks] [--fuzz]" >&2
      exit 2
      ;;
  esac
done

packages=(
  build-essential g++ cmake ninja-build pkg-config ccache git python3 clang-format-14
  libfmt-dev libspdlog-dev libcli11-dev nlohmann-json3-dev
  libprotobuf-dev protobuf-compiler zlib1g-dev
  libtbb-dev libhwy-dev libgmp-dev nettle-dev coinor-libclp-dev
  libgtest-dev libgmock-dev
)
[[ ${#requirements[@]} -eq 0 ]] || packages+=(python3-venv python3-dev)
[[ $torch == no ]] || packages+=(python3-venv binutils)
[[ $checks == no ]] || packages+=(doxygen gcovr clang-14 libclang-rt-14-dev clang-tidy-14 chromium)
[[ $fuzz == no ]] || packages+=(clang-14 libclang-rt-14-dev llvm-14)

installed() {
  [[ $(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

fail() {
  echo "setup: $1" >&2
  echo "setup: BoundFlow needs these Debian 12 packages: ${packages[*]}" >&2
  exit 1
}

command -v dpkg-query >/dev/null || fail "this is not a Debian system: install the packages below by hand."

missing=()
for package in "${packages[@]}"; do
  installed "$package" || missing+=("$package")
done

make_virtual_environment() {
  local root
  root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
  [[ -x $root/.venv/bin/python ]] || python3 -m venv "$root/.venv"
  "$root/.venv/bin/pip" install --quiet "${requirements[@]/#/--requirement=$root/}"
}

# A virtual environment per list of packages, in the user's cache folder. What was interrupted is not taken for complete.
make_torch_environment() {
  local root list key folder site_packages
  root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
  list=$root/python/tests/torch_requirements.txt
  key=$(cat "$list" "$root/scripts/torch_without_cuda.py" | sha256sum | head -c 12)
  folder=${XDG_CACHE_HOME:-$HOME/.cache}/boundflow/torch-$key
  if [[ ! -e $folder/complete ]]; then
    rm -rf "$folder"
    python3 -m venv "$folder"
    "$folder/bin/pip" install --quiet --no-deps --no-cache-dir --no-compile --requirement="$list"
    site_packages=$("$folder/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
    python3 "$root/scripts/torch_without_cuda.py" "$site_packages"
    "$folder/bin/python" -c 'import torch'
    touch "$folder/complete"
  fi
  ln --symbolic --force --no-dereference "$folder" "${folder%-*}"  # where the tests look
  echo "$folder"
}

make_environments() {
  [[ ${#requirements[@]} -eq 0 ]] || make_virtual_environment
  [[ $torch == no ]] || make_torch_environment
}

if [[ ${#missing[@]} -eq 0 ]]; then
  make_environments
  exit 0
fi

as_root=()
if [[ $(id -u) -ne 0 ]]; then
  command -v sudo >/dev/null || fail "missing: ${missing[*]}. Run this script as root, or install sudo."
  as_root=(sudo)
fi

echo "setup: installing ${missing[*]}"
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update --quiet --quiet ||
  fail "apt-get update failed; is the network reachable?"
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install --quiet --quiet --yes --no-install-recommends \
  "${missing[@]}" || fail "apt-get could not install: ${missing[*]}"

make_environments
