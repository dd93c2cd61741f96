// SPDX-License-Identifier: Apache-2.0
#include "pipelines/key_entry.h"

namespace castgate {
namespace {

using D = const Defaults&;

constexpr KeyInfo kTable[] = {
    {.path = "streams.*.outputs",
     .fallback = kRequired,
     .meaning = "1 to 16 groups, and up to 4 unicast outputs to clients that join, by names of "
                "yours"},
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
     .meaning = "the virtual group and UDP port; clients have unicast: instead"},
    {.path = "streams.*.outputs.*.source",
     .kind = KeyKind::Address,
     .fallback = kRequired,
     .meaning = "source address that leaves"},
    {.path = "streams.*.outputs.*.source_port",
     .kind = KeyKind::Number,
     .least = 1,
     .most = 65535,
     .fallback = [](D) { return std::string("the UDP port of to; unicast: of the first leg"); },
     .meaning = "UDP source port that leaves"},
    {.path = "streams.*.outputs.*.ttl",
     .kind = KeyKind::Number,
     .least = 1,
     .most = 255,
     .word = "decrement",
     .fallback =
         [](D d) {
           return std::to_string(d.output.ttl) + "; unicast: " + std::to_string(d.unicast.ttl) +
                  "; sequence: fingerprint: decrement";
         },
     .meaning = "TTL or hop limit that leaves; decrement: received less one"},
    {.path = "streams.*.outputs.*.dscp",
     .kind = KeyKind::Number,
     .least = 0,
     .most = 63,
     .word = "keep",
     .fallback = [](D d) { return d.output.dscp ? std::to_string(*d.output.dscp) : "keep"; },
     .meaning = "DSCP that leaves; keep: as received"},
    {.path = "streams.*.outputs.*.unicast",
     .fallback = none_text,
     .meaning = "to clients that join, instead of to:; source: may be left out then: the port's "
                "address of the client's family, or else another output's source"},
    {.path = "streams.*.outputs.*.unicast.max_clients",
     .kind = KeyKind::Number,
     .least = 1,
     .most = 65536,
     .unit = "clients",
     .fallback = [](D d) { return std::to_string(d.unicast.max_clients); },
     .meaning = "most that this output serves at a time; appliance.max_clients is for all"},
    {.path = "streams.*.outputs.*.unicast.fan_workers",
     .kind = KeyKind::Number,
     .least = 1,
     .most = kMaxWorkers,
     .unit = "workers",
     .fallback = [](D d) { return std::to_string(d.unicast.fan_workers); },
     .meaning =
         "among which the clients are split evenly, where one core cannot serve them all; at "
         "most as many as appliance.worker_cores"},
    {.path = "streams.*.outputs.*.unicast.copy_threshold",
     .kind = KeyKind::Number,
     .least = 0,
     .most = 65535,
     .unit = "bytes of UDP payload",
     .fallback = [](D d) { return std::to_string(d.unicast.copy_threshold); },
     .meaning = "shorter payloads are copied for each client; longer ones are shared where the "
                "port's driver sends chains"},
    {.path = "streams.*.outputs.*.unicast.max_rate",
     .kind = KeyKind::BitRate,
     .least = 1'000,
     .most = kMostBitRate,
     .fallback = none_text,
     .meaning = "of IP packets to one client, over 100ms; what is more is dropped as quota"},
    {.path = "streams.*.outputs.*.unicast.too_big",
     .kind = KeyKind::Choice,
     .choices = kTooBigNames,
     .fallback = [](D d) { return choice_text(kTooBigNames, d.unicast.too_big); },
     .meaning = "what becomes of packets over the MTU of the way to a client: dropped as mtu, or "
                "sent in fragments; over IPv6 they are always dropped"},
};

}  // namespace

const std::span<const KeyInfo> kOutputKeys = kTable;

}  // namespace castgate
