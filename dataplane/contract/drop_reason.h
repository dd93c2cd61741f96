// SPDX-License-Identifier: Apache-2.0
// Every reason for which a packet may end here. One table: the enum, the name an operator sees, the
// stage that decides it and what it means. pipelines/reference.md prints it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace castgate {

enum class DropReason : std::uint8_t {
  // classify
  BeforeStart,
  Runt,
  NotIp,
  NotUdp,
  IpBadHeader,
  IpTruncated,
  IpChecksum,
  UdpLength,
  UdpChecksum,
  Udp6ZeroChecksum,
  Fragment,
  VlanDepth,
  Ip6ExtensionLimit,
  Ip6ExtensionTruncated,
  TooBig,
  NoFeed,
  MacMismatch,
  OwnSource,
  SourceFilter,
  Ttl,
  NoBuffer,
  HandoverFull,
  Removed,
  OtherSpi,
  // punt
  PuntPoliced,
  PuntFull,
  // open
  OpenMalformed,
  Rtcp,
  OtherMki,
  Forged,
  Replayed,
  NotEsp,
  EspDummy,
  InnerMalformed,
  OtherSelector,
  // failover
  Malformed,
  Redundant,
  DuplicateSameLeg,
  Late,
  LateAfterRelease,
  WildSequence,
  OtherEpoch,
  LockedOut,
  PayloadType,
  NotTs,
  OffsetLearning,
  // restamp
  BeforeEpoch,
  NoHeadroom,
  NoRtpPayload,
  // protect
  SealNotRtp,
  SealCopyFailed,
  SealNoRoom,
  NonceUsed,
  KeySpent,
  CryptoBusy,
  CryptoError,
  NumberNotKept,
  // replicate
  Mtu,
  TtlExpired,
  CopyFailed,
  NoNeighbour,
  NoClient,
  Quota,
  Backlog,
  // transmit
  TxFull,
  TxRate,
  TxLinkDown,
  kCount
};

inline constexpr std::size_t kDropReasons = static_cast<std::size_t>(DropReason::kCount);

struct DropReasonInfo {
  std::string_view name;
  std::string_view stage;
  std::string_view meaning;
};

inline constexpr std::array<DropReasonInfo, kDropReasons> kDropReasonTable{{
    {"before_start", "classify", "waited in the port since before all of castgate had started"},
    {"runt", "classify", "frame shorter than its Ethernet or VLAN header"},
    {"not_ip", "classify", "EtherType is neither IPv4 nor IPv6, and not for the host"},
    {"not_udp", "classify", "IP protocol is not UDP, and not for the host"},
    {"ip_bad_header", "classify", "IP version or header length is wrong"},
    {"ip_truncated", "classify", "IP total length reaches past the end of the frame"},
    {"ip_checksum", "classify", "IPv4 header checksum is wrong (verify.ip_checksum)"},
    {"udp_length", "classify", "UDP length is under 8 or reaches past the IP payload"},
    {"udp_checksum", "classify", "UDP checksum is wrong (verify.udp_checksum)"},
    {"udp6_zero_checksum", "classify", "UDP checksum 0 over IPv6 (RFC 8200 8.1)"},
    {"fragment", "classify", "IP fragment; streams are not reassembled"},
    {"vlan_depth", "classify", "more than two VLAN tags"},
    {"ip6_extension_limit", "classify", "more than 8 IPv6 extension headers, or over 256 bytes"},
    {"ip6_extension_truncated", "classify", "IPv6 extension header reaches past the packet"},
    {"too_big", "classify", "frame is longer than appliance.max_frame"},
    {"no_feed", "classify", "no leg has this port, VLAN, destination and UDP port"},
    {"mac_mismatch", "classify", "destination MAC is not that of the IP destination (verify.mac)"},
    {"own_source", "classify", "our own output came back: its source is one of our outputs'"},
    {"source_filter", "classify", "a leg has this destination, but another source (from:)"},
    {"ttl", "classify", "TTL or hop limit 0 on the wire"},
    {"no_buffer", "classify", "the packet pool was empty when a frame had to be made one piece"},
    {"handover_full", "classify", "the ring to the worker of this stream was full"},
    {"removed", "classify", "on its way to another worker when its stream or leg was taken out"},
    {"other_spi", "classify", "ESP to the destination of a leg (open), with another SPI than its"},
    {"punt_policed", "punt", "host traffic over the rate of its class"},
    {"punt_full", "punt", "the ring to the control plane was full"},
    {"open_malformed", "open", "no whole packet of its profile, or no padding of ESP"},
    {"rtcp", "open", "RTCP in the UDP port of SRTP (RFC 5761)"},
    {"other_mki", "open", "SRTP under a key that is not in key_file, as its MKI says"},
    {"forged", "open", "does not authenticate: forged, damaged, or of another key"},
    {"replayed", "open", "was opened before, or is older than the replay window"},
    {"not_esp", "open", "IKE or a keepalive in the UDP port of ESP (RFC 3948)"},
    {"esp_dummy", "open", "ESP that carries nothing: next header 59 (RFC 4303 2.6)"},
    {"inner_malformed", "open", "inside ESP is no whole, unfragmented UDP datagram"},
    {"other_selector", "open", "inside ESP is for another destination, or of another source"},
    {"malformed", "failover", "no sequence position: too short, or not the protocol of sequence:"},
    {"redundant", "failover", "another leg's copy of this position has left already"},
    {"duplicate_same_leg", "failover", "the same leg delivered this position before"},
    {"late", "failover", "position is older than the merge window"},
    {"late_after_release", "failover", "position was given up before this copy came"},
    {"wild_sequence", "failover", "position ahead or far off that its leg did not go on from"},
    {"other_epoch", "failover", "SSRC or numbering of another epoch than the stream's"},
    {"locked_out", "failover", "an operator has locked this leg out"},
    {"payload_type", "failover", "RTP payload type is not verify.payload_type"},
    {"not_ts", "failover", "payload is no MPEG-TS: no 0x47 each 188 bytes (verify.mpeg_ts)"},
    {"offset_learning", "failover", "offset: auto: the leg's numbers are not known, or in doubt"},
    {"before_epoch", "restamp", "splice, arrival: before the first packet of its epoch"},
    {"no_headroom", "restamp", "rtp: insert: no room for an RTP header in the packet's buffer"},
    {"no_rtp_payload", "restamp", "rtp: strip: nothing but header and padding, or bad padding"},
    {"seal_not_rtp", "protect", "no whole RTP header: SRTP has nothing to begin with"},
    {"seal_copy_failed", "protect",
     "the packet pool was empty when another rendition needed its own"},
    {"seal_no_room", "protect", "no room for headers or tag in the packet's buffer"},
    {"nonce_used", "protect", "its number was sealed with this key before, or is far behind"},
    {"key_spent", "protect", "the key has sealed all that it may (max_packets, max_time)"},
    {"crypto_busy", "protect", "the crypto device had as much to do as it can"},
    {"crypto_error", "protect", "the crypto device could not encrypt it"},
    {"number_not_kept", "protect", "the disk does not keep the number for the next start yet"},
    {"mtu", "replicate", "packet is larger than the MTU of the output's port"},
    {"ttl_expired", "replicate", "ttl: decrement reached 0"},
    {"copy_failed", "replicate",
     "the packet pool was empty when an output or helper wanted a copy"},
    {"no_neighbour", "replicate", "the MAC address of the way to a client is not known"},
    {"no_client", "replicate", "nobody has joined, and the stream has no multicast output"},
    {"quota", "replicate", "over the rate that one client may have (unicast.max_rate)"},
    {"backlog", "replicate", "64 packets waited for clients, or the ring to a helper was full"},
    {"tx_full", "transmit", "the driver's transmit ring stayed full"},
    {"tx_rate", "transmit", "over what the port may carry (ports.*.max_rate)"},
    {"tx_link_down", "transmit", "the output's port has no link"},
}};

constexpr std::string_view name_of(DropReason reason) noexcept {
  return kDropReasonTable[static_cast<std::size_t>(reason)].name;
}

using DropCounts = std::array<std::uint64_t, kDropReasons>;

}  // namespace castgate
