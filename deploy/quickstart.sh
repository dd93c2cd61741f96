#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# From a fresh Debian 12 to a stream repaired before your eyes: installs what is missing, builds the
# release into build/, generates the demonstration captures and replays pipelines/hitless.yaml.
# Only the installation needs root, by sudo, and only where something is missing.
set -euo pipefail
cd "$(dirname "$0")/.."

missing_packages() {
  local package
  while read -r package; do
    dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null | grep -q '^ii' || echo "$package"
  done < <(sed 's/#.*//; /^ *$/d' deploy/packages.txt)
}

install_missing() {
  local packages as_root=()
  mapfile -t packages < <(missing_packages)
  if [[ ${#packages[@]} -eq 0 ]]; then
    echo "packages: all here"
    return
  fi
  echo "packages: installing ${packages[*]}"
  [[ $(id -u) -eq 0 ]] || as_root=(sudo)
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
}

# A build directory of another source tree or another meson is set up afresh.
build() {
  echo "build: release, into build/"
  if [[ ! -f build/build.ninja ]]; then
    meson setup build --buildtype=release >/dev/null
  elif ! meson setup build --reconfigure --buildtype=release >/dev/null; then
    meson setup build --wipe --buildtype=release >/dev/null
  fi
  ninja -C build controlplane/castgate
}

demonstrate() {
  local captures=build/demo
  echo
  python3 pcaps/generate.py --out "$captures"
  build/controlplane/castgate replay pipelines/hitless.yaml --in "red=$captures/red.pcap" \
    --in "blue=$captures/blue.pcap" --out "out=$captures/out.pcap" \
    --expect "out=$captures/expect.pcap"
}

install_missing
build
demonstrate
