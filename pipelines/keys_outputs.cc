// SPDX-License-Identifier: Apache-2.0
#include "pipelines/key_entry.h"

namespace castgate {
namespace {

using D = const Defaults&;

constexpr KeyInfo kTable[] = {
    {.path = "streams.*.outputs",
     .fallback = kRequired,
     .meaning = "1 to 16 groups that the stream leaves to, by a name of yours"},
    {.path = "streams.*.outputs.*.port",
     .kind = KeyKind::Name,
     .least = 1,
     .most = 64,
     .fallback = kRequired,
     .meaning = "the port it leaves by"},
    {.path = "streams.*.outputs.*.vlan",
     .kind = KeyKind::Vlan,
     .fallback = [](D d) { return d.output.vlan.to_string(); },
     .meaning = "its VLAN: 43, or 100.43 for QinQ"},
    {.path = "streams.*.outputs.*.to",
     .kind = KeyKind::Endpoint,
     .fallback = kRequired,
     .meaning = "the virtual group and UDP port"},
    {.path = "streams.*.outputs.*.source",
     .kind = KeyKind::Address,
     .fallback = kRequired,
     .meaning = "source address that leaves"},
    {.path = "streams.*.outputs.*.source_port",
     .kind = KeyKind::Number,
     .least = 1,
     .most = 65535,
     .fallback = [](D) { return std::string("the UDP port of to"); },
     .meaning = "UDP source port that leaves"},
    {.path = "streams.*.outputs.*.ttl",
     .kind = KeyKind::Number,
     .least = 1,
     .most = 255,
     .word = "decrement",
     .fallback =
         [](D d) { return std::to_string(d.output.ttl) + "; sequence: fingerprint: decrement"; },
     .meaning = "TTL or hop limit that leaves; decrement: received less one"},
    {.path = "streams.*.outputs.*.dscp",
     .kind = KeyKind::Number,
     .least = 0,
     .most = 63,
     .word = "keep",
     .fallback = [](D d) { return d.output.dscp ? std::to_string(*d.output.dscp) : "keep"; },
     .meaning = "DSCP that leaves; keep: as received"},
};

}  // namespace

const std::span<const KeyInfo> kOutputKeys = kTable;

}  // namespace castgate
