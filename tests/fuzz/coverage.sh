#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Line coverage of a fuzz target's parser by its committed corpus: tests/fuzz/coverage.sh yaml
# Exit 1 under 90 % (or FLOOR), 77 where clang is missing. Without a name: every target.
set -euo pipefail
cd "$(dirname "$0")/../.."
floor=${FLOOR:-90}
build='build-coverage'

# The files whose lines count, by target.
declare -A parsers=(
  [yaml]="pipelines/complaints.cc pipelines/read_*.cc pipelines/rules*.cc pipelines/section.cc
          pipelines/section.h pipelines/units.cc pipelines/values.cc pipelines/values.h
          pipelines/yaml_*.cc"
  [capture]="dataplane/base/capture/capture_reader.cc"
  [clients]="controlplane/clients/client_list.cc controlplane/clients/client_route.cc"
  [control]="controlplane/conductor/control_protocol.cc"
  [describe]="dataplane/base/describe/describe.cc dataplane/base/describe/dissect.cc"
  [esp]="dataplane/base/esp/esp_gcm.cc dataplane/base/esp/esp_inbound.cc
         dataplane/base/esp/esp_inner.cc"
  [fingerprint]="dataplane/base/fingerprint/*.cc dataplane/base/fingerprint/payload_list.h"
  [key]="controlplane/keys/key_text.cc"
  [icmp]="controlplane/clients/icmp_error.cc"
  [parse]="dataplane/base/packet/parse.cc dataplane/base/rtp/locate.h"
  [node]="controlplane/node/relay_answers.cc controlplane/node/relay_url.cc"
  [offset]="dataplane/base/offset/offset_learner.cc dataplane/base/offset/payload_trail.cc
            dataplane/base/offset/stream_offsets.cc"
  [open]="dataplane/base/srtp/inbound_indexes.cc dataplane/base/srtp/srtp_inbound.cc
          dataplane/base/srtp/srtp_inbound.h dataplane/base/srtp/srtp_cm.cc
          dataplane/base/srtp/srtp_gcm.h dataplane/base/srtp/srtp_index.h
          dataplane/base/protect/replay_window.h dataplane/base/protect/turn_search.h"
  [relay_opener]="controlplane/node/relay_opener.cc"
  [rest]="controlplane/clients/doors/rest_clients.cc controlplane/clients/doors/rest_text.cc
          controlplane/clients/doors/proofs.cc controlplane/clients/doors/tokens.cc
          controlplane/clients/doors/rate_limit.h"
  [restamp]="dataplane/base/restamp/datagram.cc dataplane/base/rtp/header.h"
  [verdict]="dataplane/base/verdict/stream_verdict.cc dataplane/base/verdict/ts_verdict.cc"
  [sequence]="dataplane/base/sequence/generic.cc dataplane/base/sequence/messages.cc"
  [query]="controlplane/slow_path/queries.cc"
)

for tool in clang++-19 llvm-profdata-19 llvm-cov-19; do
  command -v "$tool" >/dev/null || { echo "$tool is not installed" && exit 77; }
done
[[ $# -gt 0 ]] || set -- "${!parsers[@]}"

# Objects name the directory that they were compiled in: no other checkout's from a cache.
unset CCACHE_BASEDIR CCACHE_NOHASHDIR
flags="-fprofile-instr-generate -fcoverage-mapping"
[[ -f $build/build.ninja ]] || CXX=clang++-19 meson setup "$build" \
  -Dbuildtype=debug -Dwerror=false -Dcpp_args="$flags" -Dcpp_link_args="$flags" >/dev/null

under=()
for target; do
  [[ -n ${parsers[$target]:-} ]] || { echo "no target '$target'; add it to $0" && exit 2; }
  program=$build/tests/fuzz/corpus_$target
  ninja -C "$build" "tests/fuzz/corpus_$target" >/dev/null
  LLVM_PROFILE_FILE=$build/$target.raw "$program" "tests/fuzz/corpus/$target" >/dev/null
  llvm-profdata-19 merge -sparse "$build/$target.raw" -o "$build/$target.profile"
  # shellcheck disable=SC2086  # a list of patterns
  llvm-cov-19 export -summary-only -instr-profile "$build/$target.profile" "$program" \
    ${parsers[$target]} >"$build/$target.json"
  python3 - "$target" "$floor" "$build/$target.json" <<'PYTHON' || under+=("$target")
import json, os, sys

target, floor, page = sys.argv[1], float(sys.argv[2]), sys.argv[3]
data = json.load(open(page))["data"][0]
for file in data["files"]:
    lines = file["summary"]["lines"]
    print(f"  {lines['percent']:6.1f} %  {os.path.relpath(file['filename'])}")
total = data["totals"]["lines"]
print(f"{target}: {total['percent']:.1f} % of {total['count']} lines, floor {floor:g} %")
sys.exit(total["percent"] < floor)
PYTHON
done
[[ ${#under[@]} -eq 0 ]] || { echo "under $floor %: ${under[*]}" && exit 1; }
