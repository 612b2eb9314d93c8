#!/usr/bin/env bash
# Installs what BoundFlow needs to be built and tested on Debian 12. Does nothing where everything is there already.
set -euo pipefail

packages=(
  build-essential g++ cmake ninja-build pkg-config ccache git python3 clang-format-14
  libfmt-dev libspdlog-dev libcli11-dev nlohmann-json3-dev
  libprotobuf-dev protobuf-compiler zlib1g-dev
  libtbb-dev libhwy-dev libgmp-dev
  libgtest-dev libgmock-dev
)

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
[[ ${#missing[@]} -gt 0 ]] || exit 0

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
