#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What a running appliance tells Prometheus is what `show` tells, and promtool finds no fault in it.
# `top` and `show clients` pick some of many clients.
source "$(dirname "$0")/lib.sh"

cat >"$work/metrics.yaml" <<YAML
schema: 1
appliance: {name: counted, worker_cores: [0], control_core: 0, state_dir: $work/state}
doors: {metrics: {listen: "127.0.0.1:9273"}}
ports:
  red: {device: net_null0}
  out:
    device: net_null1
    addresses: [10.9.0.2/24]
    neighbours: {10.9.0.7: "02:00:00:00:09:07"}
streams:
  news1:
    legs:
      A: {port: red, to: 239.1.0.1:5000}
      B: {port: red, to: 239.1.0.2:5000}
    sequence: rtp
    outputs:
      main: {port: out, to: 239.9.0.1:5000, source: 10.0.0.9}
      homes: {port: out, unicast: {max_clients: 50}}
YAML

namespace gate
run_castgate gate "$work/metrics.yaml"
for turn in {1..5}; do
  "$castgate" join news1 "10.9.0.7:$((6000 + turn))" >/dev/null
done
sleep 0.2
"$castgate" show metrics >"$work/first"
"$castgate" show --json >"$work/show.json"
"$castgate" show metrics >"$work/second"

# Between two readings of the metrics each counter of show has its place. Names are made by the
# rules that the reference tells.
python3 - "$work" <<'PYTHON' || fail "metrics and show do not tell the same"
import json, pathlib, re, sys

work = pathlib.Path(sys.argv[1])


def read(name):
    series = {}
    for line in (work / name).read_text().splitlines():
        if line.startswith("#"):
            continue
        key, value = line.rsplit(" ", 1)
        assert key not in series, key
        series[key] = float(value)
    return series


first, second = read("first"), read("second")
show = json.loads((work / "show.json").read_text())
checked = 0


def check(scope, labels, counters):
    global checked
    for name, value in counters.items():
        if isinstance(value, bool) or not isinstance(value, int) or name in ("core", "offset"):
            continue
        scale = 1e9 if name.endswith("_ns") else 1
        plain = f"castgate_{scope}_" + re.sub("_ns$", "_seconds", name)
        keys = [f"{end}{labels}" for end in (plain, plain + "_total") if f"{end}{labels}" in first]
        assert len(keys) == 1, (plain, labels, keys)
        low, high = sorted((first[keys[0]], second[keys[0]]))
        assert low <= value / scale <= high, (keys[0], low, value, high)
        checked += 1


for stream in show["streams"]:
    name = stream["name"]
    check("stream", f'{{stream="{name}"}}', stream)
    for leg in stream["legs"]:
        check("leg", f'{{stream="{name}",leg="{leg["name"]}"}}', leg)
    for output in stream["outputs"]:
        check("output", f'{{stream="{name}",output="{output["name"]}"}}', output)
    for unicast in stream["unicasts"]:
        check("unicast", f'{{stream="{name}",output="{unicast["name"]}"}}', unicast)
for port in show["ports"]:
    check("port", f'{{port="{port["name"]}"}}', port)
for worker in show["workers"]:
    check("worker", f'{{core="{worker["core"]}"}}', worker)
check("ledger", "", show["ledger"])
assert checked > 120, checked
assert second['castgate_unicast_clients{stream="news1",output="homes"}'] == 5
assert second['castgate_unicast_max_clients{stream="news1",output="homes"}'] == 50
assert second["castgate_ledger_difference_packets"] == 0
assert 0 < second["castgate_uptime_seconds"] < 120
assert second["castgate_start_time_seconds"] == first["castgate_start_time_seconds"]
assert any(key.startswith("castgate_info{") and "counted" in key for key in second)
reasons = {key for key in second if key.startswith("castgate_drops_total{")}
assert len(reasons) > 40, len(reasons)
print(f"{checked} counters of show, {len(second)} series")
PYTHON

if command -v promtool >/dev/null; then
  promtool check metrics <"$work/first" || fail "promtool finds fault with the metrics"
else
  echo "promtool is not installed: package prometheus"
fi

within gate curl -sS -D "$work/head" http://127.0.0.1:9273/metrics >"$work/page" ||
  fail "no /metrics"
grep -qi "^content-type: text/plain; version=0.0.4" "$work/head" ||
  fail "not as Prometheus reads it"
# An alarm or a reason may come between the two.
names_of() { grep "^castgate_" "$1" | sed 's/ [^ ]*$//'; }
has_same_series() {
  within gate curl -sS http://127.0.0.1:9273/metrics >"$work/page"
  "$castgate" show metrics >"$work/now"
  diff <(names_of "$work/page") <(names_of "$work/now") >"$work/other_series"
}
await 10 "the same series in /metrics and show metrics" has_same_series
[[ $(within gate curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:9273/) == 404 ]] ||
  fail "something else is there"

"$castgate" show clients --top 3 --by drops >"$work/some"
grep -q "^5 clients, 3 of them here$" "$work/some" || fail "show clients does not pick three"
[[ $(grep -c "10.9.0.7:60" "$work/some") -eq 3 ]] || fail "there are not three clients"
! "$castgate" show legs --top 3 2>"$work/refused" || fail "legs were picked from"
"$castgate" top --view clients --by drops >"$work/top"
grep -q "^news1   homes         5          50 " "$work/top" || fail "top tells no 5 of 50"
grep -q "^5 clients, by drops:$" "$work/top" || fail "top does not say what it shows"
"$castgate" top | grep -q "in pps" || fail "top does not show streams"
end_castgate
echo "metrics are what show tells: $(wc -l <"$work/second") lines"
