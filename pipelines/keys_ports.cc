// SPDX-License-Identifier: Apache-2.0
#include "pipelines/key_entry.h"

namespace castgate {
namespace {

using D = const Defaults&;

std::string igmp_text(D d) {
  return choice_text(kIgmpNames, d.network.igmp);
}

constexpr KeyInfo kTable[] = {
    {.path = "ports",
     .fallback = kRequired,
     .meaning =
         "network interfaces, by a name of yours, in replay's order; a manager without ports "
         "is not yet there"},
    {.path = "ports.*.device",
     .kind = KeyKind::Device,
     .least = 1,
     .most = 256,
     .fallback = kRequired,
     .meaning = "PCI address, or DPDK device string: net_af_packet0,iface=eth1"},
    {.path = "ports.*.mac",
     .kind = KeyKind::Mac,
     .fallback = [](D) { return std::string("the device's"); },
     .meaning = "Ethernet address that the port sends from and answers for"},
    {.path = "ports.*.addresses",
     .kind = KeyKind::Prefix,
     .list = true,
     .fallback = none_text,
     .meaning = "own addresses in the untagged network, with the network's length"},
    {.path = "ports.*.gateway",
     .kind = KeyKind::Address,
     .fallback = none_text,
     .meaning = "router to everywhere else; inside one of the port's networks"},
    {.path = "ports.*.igmp",
     .kind = KeyKind::Choice,
     .choices = kIgmpNames,
     .fallback = igmp_text,
     .meaning = "version of membership reports; 3 also ignores queries of older versions"},
    {.path = "ports.*.mtu",
     .kind = KeyKind::Number,
     .least = 68,
     .most = 9710,
     .unit = "bytes",
     .fallback = [](D d) { return std::to_string(d.port.mtu); },
     .meaning = "largest IP packet that leaves; larger ones are dropped as mtu"},
    {.path = "ports.*.max_rate",
     .kind = KeyKind::BitRate,
     .least = 1'000,
     .most = kMostBitRate,
     .fallback = none_text,
     .meaning = "of IP packets, in and out each: the declared rates (streams.*.max_bitrate) of "
                "legs, groups and clients never exceed it; what leaves all the same beyond it is "
                "dropped as tx_rate"},
    {.path = "ports.*.neighbours",
     .kind = KeyKind::AddressMap,
     .fallback = none_text,
     .meaning = "fixed MAC addresses by IP address; the only ones in replay"},
    {.path = "ports.*.vlans",
     .fallback = none_text,
     .meaning = "tagged networks where the port has addresses: 43, or 100.43 for QinQ"},
    {.path = "ports.*.vlans.*.addresses",
     .kind = KeyKind::Prefix,
     .list = true,
     .fallback = none_text,
     .meaning = "own addresses in this VLAN, with the network's length"},
    {.path = "ports.*.vlans.*.igmp",
     .kind = KeyKind::Choice,
     .choices = kIgmpNames,
     .fallback = igmp_text,
     .meaning = "as the port's, for this VLAN"},
    {.path = "ports.*.verify",
     .fallback = none_text,
     .meaning = "checks on reception; what fails is dropped by name"},
    {.path = "ports.*.verify.ip_checksum",
     .kind = KeyKind::Flag,
     .fallback = [](D d) { return flag_text(d.port.verify.ip_checksum); },
     .meaning = "IPv4 header checksum"},
    {.path = "ports.*.verify.udp_checksum",
     .kind = KeyKind::Flag,
     .fallback = [](D d) { return flag_text(d.port.verify.udp_checksum); },
     .meaning = "UDP checksum; costs a pass over the payload where the device cannot"},
    {.path = "ports.*.verify.mac",
     .kind = KeyKind::Flag,
     .fallback = [](D d) { return flag_text(d.port.verify.mac); },
     .meaning = "destination MAC must be that of the destination IP address"},
};

}  // namespace

const std::span<const KeyInfo> kPortKeys = kTable;

}  // namespace castgate
