#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs every test tier that this machine allows, or only those named: deploy/test.sh unit replay
# Closes with "N passed, N failed"; exit 1 if any failed. Logs stay in build-test/logs.
# A whole run builds the tree twice: the release that operators run, for replay and live, and the
# instrumented one, for the unit tests and fuzzers. `unit` builds the third, with assertions and
# without instruments, that developers iterate with: same tests, so only by name.
# CG_TEST_SECONDS (default 3600): what has not ended by then is skipped by name.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 2

every_tier=(tidy readme replay sanitizers property live fuzz clang_tidy)
by_name=(unit)
budget=${CG_TEST_SECONDS:-3600}
fuzz_seconds=${CG_FUZZ_SECONDS:-15}
logs=build-test/logs
passed=0 failed=0 skipped=0 child=
cut= # yes where the budget, not its own limit, ended the last command

scratch=$(mktemp -d) || exit 2
export TMPDIR=$scratch
export CG_SCENE_PREFIX="cgt$$x" # names of the namespaces that live tests make: tests/live/lib.sh
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
export PYTHONDONTWRITEBYTECODE=1
# A compiler's cache serves every checkout of the same sources.
export CCACHE_BASEDIR=${CCACHE_BASEDIR:-$PWD} CCACHE_NOHASHDIR=${CCACHE_NOHASHDIR:-1}

tidy_up() {
  [[ -n $child ]] && kill -KILL -- "-$child" 2>/dev/null
  remove_namespaces >/dev/null
  rm -rf "$scratch"
}
trap tidy_up EXIT
trap 'exit 130' INT TERM HUP

# Prints the name of each namespace of ours that is still there, and removes it.
remove_namespaces() {
  local name
  for name in $(ip netns list 2>/dev/null | cut -d' ' -f1 | grep "^$CG_SCENE_PREFIX"); do
    echo "$name"
    ip netns pids "$name" 2>/dev/null | xargs -r kill -KILL 2>/dev/null
    ip netns del "$name"
  done
}

row() { # ok|FAIL|skip NAME DETAIL [PASSED FAILED SKIPPED]
  printf '  %-4s  %-34s %s\n' "$1" "$2" "$3"
  case $1 in
    ok) passed=$((passed + ${4:-1})) ;;
    FAIL) passed=$((passed + ${4:-0})) failed=$((failed + ${5:-1})) ;;
    skip) passed=$((passed + ${4:-0})) skipped=$((skipped + ${6:-1})) && return ;;
  esac
  skipped=$((skipped + ${6:-0}))
}

left() { echo $((budget - SECONDS)); }

# Runs a command in a process group of its own, output to a log, and ends what it leaves behind.
limited() { # SECONDS LOG COMMAND...
  local seconds=$1 log=$2 result
  shift 2
  cut=
  [[ $seconds -le $(left) ]] || { seconds=$(left) && cut=yes; }
  mkdir -p "$(dirname "$log")"
  set -m
  timeout --kill-after=15 "$seconds" "$@" >"$log" 2>&1 </dev/null &
  child=$!
  set +m
  wait "$child"
  result=$?
  kill -KILL -- "-$child" 2>/dev/null
  child=
  if [[ $result -eq 124 || $result -eq 137 ]]; then
    echo "ended after $seconds seconds" >>"$log"
  else
    cut=
  fi
  return "$result"
}

no_time() { row skip "$1" "no time left of $budget s; run: deploy/test.sh $tier"; } # NAME

build() { # DIRECTORY "TARGET..." [MESON OPTION...]
  local directory=$1 targets=$2 log=$logs/${1}.log setup=(meson setup)
  shift 2
  [[ ! -f $directory/build.ninja ]] || setup+=(--reconfigure)
  # shellcheck disable=SC2086  # a target a word
  if limited 120 "$log" "${setup[@]}" "$directory" "$@" \
    && { [[ -z $targets ]] || limited 2400 "$log" ninja -C "$directory" $targets; }; then
    return 0
  fi
  if [[ -n $cut ]]; then
    no_time "build of $directory"
  else
    row FAIL "build of $directory" "$(grep -m1 -E ' error: |ERROR|ended after' "$log"); log $log"
  fi
  return 1
}

# The programs of one meson suite, a row each.
suite() { # DIRECTORY SUITE SECONDS
  local place=$logs/$1/$2 result status counts name detail rows=0
  rm -rf "$place" "$1/meson-logs/$2.json"
  limited "$3" "$place/meson.log" meson test -C "$1" --no-rebuild --suite "$2" --logbase "$2"
  result=$?
  while IFS=$'\t' read -r status counts name detail; do
    # shellcheck disable=SC2086  # three numbers
    row "$status" "$name" "$detail" $counts
    rows=$((rows + 1))
  done < <(python3 tests/support/results.py "$1/meson-logs/$2.json" "$place")
  if [[ -n $cut ]]; then
    no_time "$2"
  elif [[ $result -eq 124 ]]; then
    row FAIL "$2" "did not end within $3 s; log $place/meson.log"
  elif [[ $rows -eq 0 ]]; then
    row FAIL "$2" "no test was run; log $place/meson.log"
  fi
}

# One script or program: exit 0 passes, 77 skips, its last line says why.
one() { # SECONDS NAME COMMAND...
  local seconds=$1 name=$2 log=$logs/$tier/$2.log began=$SECONDS result
  shift 2
  if [[ $(left) -lt 60 ]]; then
    no_time "$name"
    return
  fi
  limited "$seconds" "$log" "$@"
  result=$?
  [[ -z $cut ]] || { no_time "$name" && return; }
  case $result in
    0) row ok "$name" "$((SECONDS - began)) s  $(tail -n 1 "$log")" ;;
    77) row skip "$name" "$(tail -n 1 "$log")" ;;
    *) row FAIL "$name" "exit $result: $(tail -n 1 "$log"); log $log" ;;
  esac
}

debug=(-Dbuildtype=debugoptimized)

# The release that the quickstart builds, and what its scenes need beside it.
release_build() {
  [[ -n ${release_built:-} ]] || build build live -Dbuildtype=release \
    || return
  release_built=yes
  export CASTGATE=$PWD/build/controlplane/castgate
  export CASTGATE_NODE=$PWD/build/controlplane/node/castgate-node
  export MEMBERSHIP_TEST=$PWD/build/tests/live/membership_test
  export PORTS_BYTES_TEST=$PWD/build/tests/live/ports_bytes_test
}

# Unoptimised but for the logic under simulations (meson.build). With clang++ in half the time that
# g++ takes, and its fuzzers with it.
sanitized_build() {
  local options=(-Dbuildtype=debug "-Db_sanitize=address,undefined" -Db_lundef=false)
  [[ -z ${sanitized_built:-} ]] || return 0
  if has_clang; then
    options+=(-Dfuzz=true -Dcpp_args=-gline-tables-only)
    CXX=clang++-19 CXX_LD=lld build build-asan all "${options[@]}" || return
  else
    build build-asan all "${options[@]}" || return
  fi
  sanitized_built=yes
}

has_clang() { command -v clang++-19 >/dev/null && command -v ld.lld >/dev/null; }

tier_tidy() { build build-test "" "${debug[@]}" && suite build-test tidy 1000; }
tier_unit() { build build-test all "${debug[@]}" && suite build-test unit 300; }
tier_property() { build build-test property "${debug[@]}" && suite build-test property 180; }
tier_replay() { release_build && suite build replay 300; }

tier_sanitizers() {
  sanitized_build || return
  local part
  for part in unit replay fuzz; do suite build-asan "$part" 600; done
  suite build-asan property 400
}

tier_readme() {
  one 1500 quickstart deploy/quickstart.sh
  local number
  for number in $(python3 tests/tidy/readme.py README.md list); do
    one 60 "$(python3 tests/tidy/readme.py README.md name "$number")" \
      python3 tests/tidy/readme.py README.md run "$number"
  done
}

# What scenes share is not a scene.
is_scene() { [[ $1 != lib && $1 != one_path && $1 != two_paths && $1 != stock_merge ]]; }

tier_live() {
  local scene name
  if [[ $(id -u) -ne 0 ]]; then
    for scene in tests/live/*.sh; do
      name=$(basename "$scene" .sh)
      ! is_scene "$name" || row skip "$name" "network namespaces need root"
    done
    return
  fi
  release_build || return
  for scene in tests/live/*.sh; do
    name=$(basename "$scene" .sh)
    is_scene "$name" || continue
    one 180 "$name" bash "$scene"
    name=$(remove_namespaces | tr '\n' ' ')
    [[ -z $name ]] || row FAIL "$(basename "$scene" .sh)" "left namespaces behind: $name"
  done
}

tier_fuzz() {
  if ! has_clang; then
    row skip fuzzers "clang++-19 or ld.lld is not installed"
    return
  fi
  sanitized_build || return
  local target name
  for target in build-asan/tests/fuzz/fuzz_*; do
    name=$(basename "$target")
    [[ -f tests/fuzz/${name#fuzz_}_fuzz.cc ]] || continue
    mkdir -p "$scratch/$name" "$logs/fuzz"
    one $((fuzz_seconds + 30)) "$name" "$target" -max_total_time="$fuzz_seconds" -timeout=10 \
      -print_final_stats=0 -error_exitcode=76 -artifact_prefix="$PWD/$logs/fuzz/$name-" \
      "$scratch/$name" "tests/fuzz/corpus/${name#fuzz_}"
  done
  one 900 corpus_coverage bash tests/fuzz/coverage.sh
}

tier_clang_tidy() {
  if ! command -v clang-tidy-19 >/dev/null; then
    row skip clang_tidy "clang-tidy-19 is not installed"
    return
  fi
  build build-test "" "${debug[@]}" || return
  local seconds=$(($(left) - 160))
  [[ -n ${asked:-} || $seconds -le $tidy_seconds ]] || seconds=$tidy_seconds
  one $((seconds + 150)) clang_tidy python3 tests/tidy/clang_tidy.py . build-test "$seconds"
}

# A first clang-tidy over every file takes a quarter of an hour on two cores: a run of everything
# judges what changed last and says what is left; `deploy/test.sh clang_tidy` judges it all.
tidy_seconds=240
asked=${1:-}
[[ $# -gt 0 ]] || set -- "${every_tier[@]}"
for tier; do
  if [[ " ${every_tier[*]} ${by_name[*]} " != *" $tier "* ]]; then
    echo "deploy/test.sh: no tier '$tier'; there are: ${every_tier[*]} ${by_name[*]}" >&2
    exit 2
  fi
done
for tier; do
  printf '%s\n' "$tier"
  if [[ $(left) -lt 45 ]]; then
    no_time "$tier"
  else
    "tier_$tier"
  fi
done

echo
summary="$passed passed, $failed failed"
[[ $skipped -eq 0 ]] || summary+=", $skipped skipped"
echo "$summary"
[[ $failed -eq 0 && $passed -gt 0 ]]
