#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# No byte of a key, nor of what is derived from it, is in what castgate writes, tells or captures,
# or in any memory of it that a core dump would have. While it runs, after a reload that takes other
# keys, and after one that takes all of them away.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/two_paths.sh"

two_paths 0
two_path_pipeline "$work/clear.yaml" "max_skew: 50ms, continuity: splice"
for set in 1 2; do
  grep -v "      main:" "$work/clear.yaml" >"$work/sealed$set.yaml" # no output is in the clear
  cat >>"$work/sealed$set.yaml" <<YAML
      gcm: {port: out, to: "239.9.0.2:5000", source: 10.9.0.9,
            protect: {profile: srtp_gcm, key_file: gcm$set.key}}
      cm: {port: out, to: "239.9.0.3:5000", source: 10.9.0.9,
           protect: {profile: srtp_cm, key_bits: 256, key_file: cm$set.key}}
      esp: {port: out, to: "239.9.0.4:5000", source: 10.9.0.9,
            protect: {profile: esp_tunnel, spi: 0x1000, key_file: esp$set.key,
                      inner: {source: 10.1.0.5}}}
YAML
  (
    umask 077
    openssl rand -hex 28 >"$work/gcm$set.key"
    openssl rand -base64 46 >"$work/cm$set.key"
    openssl rand -hex 20 >"$work/esp$set.key"
  )
done

cp "$work/sealed1.yaml" "$work/scene.yaml"
run_castgate gate "$work/scene.yaml"
head -c $((30000 * 1316)) /dev/urandom >"$work/source.bin"
start src sender python3 "$here/rtp_send.py" --count 30000 --file "$work/source.bin" --rate 1000 \
  --leg "interface=a0,source=10.1.0.5,to=$leg_a" --leg "interface=b0,source=10.2.0.5,to=$leg_b"
sender=$started

# Everything that it says of itself, into one file.
tell() { # LABEL
  {
    "$castgate" show streams && "$castgate" show streams --json && "$castgate" show ports --json
    "$castgate" show metrics && "$castgate" show --json
  } >"$work/told-$1.txt" 2>&1 || fail "show: $(tail -n 1 "$work/told-$1.txt")"
  "$castgate" capture --stage restamp,transmit --seconds 1 -o "$work/told-$1.pcapng" \
    >>"$work/told-$1.txt" 2>&1 || fail "capture: $(tail -n 1 "$work/told-$1.txt")"
}
search() { # LABEL SETS...
  local label=$1
  shift
  python3 "$here/find_secrets.py" --pid "$gate" "${plain[@]}" \
    --told "$work/castgate.log" "$work"/told-"$label"* "$work"/state/* \
    --key "${@/#/"$work"/}" >"$work/found-$label.txt" ||
    fail "$label: $(head -n 3 "$work/found-$label.txt")"
}
reload() { # FILE
  cp "$work/$1" "$work/scene.yaml"
  kill -HUP "$gate"
  sleep 1
}

plain=(--plain "$work/source.bin")
one=(gcm1.key cm1.key esp1.key)
two=(gcm2.key cm2.key esp2.key)
tell first
search first "${one[@]}"
reload sealed2.yaml
tell second
search second "${one[@]}" "${two[@]}"
reload clear.yaml
plain=()
tell third
search third "${one[@]}" "${two[@]}"
stop "$sender"
end_castgate
cat "$work/found-first.txt"
echo "6 keys in no file, table, metric, capture, or memory that a dump would have"
