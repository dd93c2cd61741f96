// SPDX-License-Identifier: Apache-2.0
#include "pipelines/key_entry.h"

namespace castgate {
namespace {

using D = const Defaults&;

constexpr KeyInfo kTable[] = {
    {.path = "doors", .fallback = none_text, .meaning = "how clients join from outside"},
    {.path = "doors.rest",
     .fallback = none_text,
     .meaning = "by HTTP and JSON: POST /v1/streams/{stream}/clients"},
    {.path = "doors.rest.listen",
     .kind = KeyKind::Endpoint,
     .fallback = kRequired,
     .meaning = "where it listens, TCP; 0.0.0.0 and [::] are every address, ports' too"},
    {.path = "doors.rest.tls",
     .fallback = none_text,
     .meaning = "needed for tokens, except on loopback; SIGHUP reads the files again"},
    {.path = "doors.rest.tls.cert",
     .kind = KeyKind::Path,
     .least = 1,
     .most = 255,
     .fallback = kRequired,
     .meaning = "PEM file: the certificate, then those that lead to its root"},
    {.path = "doors.rest.tls.key",
     .kind = KeyKind::Path,
     .least = 1,
     .most = 255,
     .fallback = kRequired,
     .meaning = "PEM file with its key, mode 0600"},
    {.path = "doors.rest.allow",
     .kind = KeyKind::Prefix,
     .list = true,
     .fallback = none_text,
     .meaning = "prefixes of peers and of clients; required outside loopback, which always may"},
    {.path = "doors.rest.tokens",
     .kind = KeyKind::Path,
     .least = 1,
     .most = 255,
     .word = "none",
     .fallback = none_text,
     .meaning = "file of bearer tokens, mode 0600: a line each, NAME TOKEN, or NAME TOKEN admin"},
    {.path = "doors.rest.lease",
     .kind = KeyKind::Duration,
     .least = 5 * kSecond,
     .most = 720 * kSecond,
     .fallback = [](D d) { return duration_text(d.rest.lease); },
     .meaning = "a client that is not renewed for so long is gone"},
    {.path = "doors.rest.clients_per_address",
     .kind = KeyKind::Number,
     .least = 1,
     .most = 65'536,
     .unit = "clients",
     .fallback = [](D d) { return std::to_string(d.rest.clients_per_address); },
     .meaning = "most streams and ports that one client address may have at a time"},
    {.path = "doors.rest.joins_per_second",
     .kind = KeyKind::Number,
     .least = 1,
     .most = 100'000,
     .unit = "requests a second",
     .fallback = [](D d) { return std::to_string(d.rest.joins_per_second); },
     .meaning = "most that one peer asks for, in bursts of twice as many; loopback and admin any"},
    {.path = "doors.metrics",
     .fallback = none_text,
     .meaning = "GET /metrics, for Prometheus; the same as `castgate show metrics`"},
    {.path = "doors.metrics.listen",
     .kind = KeyKind::Endpoint,
     .fallback = kRequired,
     .meaning = "where it listens, TCP, without TLS"},
    {.path = "doors.metrics.allow",
     .kind = KeyKind::Prefix,
     .list = true,
     .fallback = none_text,
     .meaning = "prefixes of who may read; required outside loopback, which always may"},
};

}  // namespace

const std::span<const KeyInfo> kDoorKeys = kTable;

}  // namespace castgate
