#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# `igmp: 3` on an interface of the kernel's: forced while castgate runs, as before when it is gone.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/two_paths.sh"

forced() { within gate cat "/proc/sys/net/ipv4/conf/$1/force_igmp_version"; }

two_paths 0
two_path_pipeline "$work/scene.yaml"
sed -i 's|addresses: \[10.1.0.2/24\]|&, igmp: 3|; s|addresses: \[10.2.0.2/24\]|&, igmp: 3|' \
  "$work/scene.yaml"
within gate sysctl -qw net.ipv4.conf.blue0.force_igmp_version=2
run_castgate gate "$work/scene.yaml"
[[ $(forced red0) == 3 && $(forced blue0) == 3 ]] || fail "IGMPv3 is not forced"
end_castgate
[[ $(forced red0) == 0 && $(forced blue0) == 2 ]] ||
  fail "left behind: $(forced red0) and $(forced blue0) instead of 0 and 2"
echo "forced, and given back"
