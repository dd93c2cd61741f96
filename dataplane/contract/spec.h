// SPDX-License-Identifier: Apache-2.0
// What an operator may ask for. One field per YAML key, same name; the value written here is the
// documented default. Filled by the readers in pipelines/, read by everyone else.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/base/address.h"
#include "dataplane/base/instant.h"
#include "dataplane/base/offset/leg_offset.h"
#include "dataplane/base/sequence/generic.h"
#include "dataplane/contract/doors.h"
#include "dataplane/contract/open_spec.h"
#include "dataplane/contract/protect_spec.h"

namespace castgate {

inline constexpr unsigned kMaxLegs = 8;
inline constexpr unsigned kMaxOutputs = 16;  // multicast outputs of one stream
inline constexpr unsigned kMaxUnicasts = 4;  // unicast outputs of one stream
inline constexpr unsigned kMaxPorts = 64;
inline constexpr unsigned kMaxWorkers = 64;

enum class Polling : std::uint8_t { Busy, Adaptive };

struct ApplianceSpec {
  std::string name = "castgate";
  std::vector<unsigned> worker_cores{1};
  unsigned control_core = 0;
  std::uint64_t hugepages_bytes = 0;  // 0: run without hugepages
  Polling polling = Polling::Adaptive;
  std::string state_dir = "/var/lib/castgate";
  std::string control_socket = "/run/castgate/control.sock";
  std::string event_log;      // empty: none
  std::string crypto_device;  // of DPDK; empty: none
  unsigned max_streams = 1024;
  unsigned max_clients = 20000;
  unsigned max_frame = 1518;  // bytes from destination MAC to the end of the payload, no FCS
};

// Which checks a packet must pass on reception; what fails is dropped by name.
struct VerifySpec {
  bool ip_checksum = true;
  bool udp_checksum = false;
  bool mac = false;  // destination MAC must belong to the destination IP address
  bool operator==(const VerifySpec&) const = default;
};

enum class IgmpVersion : std::uint8_t { Auto, V2, V3 };

// A network that a port is in: untagged, or one of its VLANs.
struct NetworkSpec {
  VlanTags tags;
  std::vector<IpPrefix> addresses;
  IgmpVersion igmp = IgmpVersion::Auto;
  bool operator==(const NetworkSpec&) const = default;
};

struct PortSpec {
  std::string name;
  std::string device;  // PCI address or DPDK device string
  std::optional<MacAddress> mac;
  std::optional<IpAddress> gateway;
  std::vector<NetworkSpec> networks{{}};  // [0] is the untagged one
  std::map<IpAddress, MacAddress> neighbours;
  VerifySpec verify;
  unsigned mtu = 1500;             // largest IP packet that leaves, bytes
  std::uint64_t max_rate_bps = 0;  // IP packets, in and out each, as declared; 0: not said
  bool operator==(const PortSpec&) const = default;
};

// One copy of a stream. Two legs with equal keys cannot be told apart.
struct LegSpec {
  std::string name;
  unsigned port = 0;  // index into Spec::ports
  VlanTags vlan;
  std::optional<IpAddress> from;  // source filter; absent accepts any source
  Endpoint to;                    // group, or an address of the port, and UDP port
  LegOffset offset;               // of its numbers against the stream's
  OpenSpec open;                  // how it arrives encrypted
  bool operator==(const LegSpec&) const = default;
};

enum class SequenceFormat : std::uint8_t {
  Rtp,
  RtpExtended,
  Moldudp64,
  CmeMdp3,
  IexTp,
  Generic,
  Fingerprint  // no number: copies are told by their payloads
};

// What becomes of a packet of which some messages have left already.
enum class Overlap : std::uint8_t { Trim, Pass };

struct SequenceSpec {
  SequenceFormat format = SequenceFormat::Rtp;
  Overlap overlap = Overlap::Trim;  // of formats whose messages have a length; Pass of others
  GenericSequence generic;          // format: generic

  unsigned width() const noexcept;        // bits of a position on the wire
  bool counts_messages() const noexcept;  // a packet holds any number of positions
  bool has_lengths() const noexcept;      // each message has one, so that packets can be cut
  bool is_rtp() const noexcept;
  // The position's, where it is one number in one place; none of width 0 elsewhere.
  SequenceField number() const noexcept;
  bool operator==(const SequenceSpec&) const = default;
};

enum class Selection : std::uint8_t { Merge, Prefer };
enum class Release : std::uint8_t { Arrival, Ordered, Playout };

// What becomes of packets whose UDP checksum is wrong.
enum class Corrupt : std::uint8_t { Drop, UseIfOnly };

// selection: prefer: when another leg becomes the preferred one, beyond single packets.
struct SwitchingSpec {
  bool revertive = true;
  Nanoseconds hold_off{0};
  Nanoseconds wait_to_restore{5'000'000'000};
  std::uint32_t degrade_loss_ppm = 0;  // packets per million lost or faulty in a second; 0: none
  bool operator==(const SwitchingSpec&) const = default;
};

// What becomes of sequence, timestamp and SSRC when the source begins anew.
enum class Continuity : std::uint8_t { Preserve, Splice };

struct FailoverSpec {
  Nanoseconds max_skew{10'000'000};
  std::uint64_t max_rate_pps = 100'000;
  Nanoseconds playout_delay{0};        // release: playout; 0 means max_skew
  Nanoseconds epoch_hold{20'000'000};  // silence after which one leg may start a new epoch
  std::vector<std::string> order;      // prefer: names of legs, the best first; others follow
  SwitchingSpec switching;
  unsigned reorder_depth = 3;  // positions a leg may deliver out of order
  Selection selection = Selection::Merge;
  Corrupt corrupt = Corrupt::Drop;
  Release release = Release::Ordered;
  Continuity continuity = Continuity::Preserve;
  bool operator==(const FailoverSpec&) const = default;
};

// What becomes of the RTP header: it stays, a new one is put before what has none, it is taken off.
enum class RtpFace : std::uint8_t { Keep, Insert, Strip };

// The stream's own RTP face.
struct RestampSpec {
  RtpFace rtp = RtpFace::Keep;
  std::uint8_t payload_type = 33;              // rtp: insert; MPEG-TS
  std::optional<std::uint32_t> clock_rate_hz;  // absent: the payload type's
  std::optional<std::uint32_t> ssrc;           // absent: made of the stream's name
  bool operator==(const RestampSpec&) const = default;
};

// What each packet of a stream is judged by, beyond what its port verifies.
struct StreamVerifySpec {
  bool mpeg_ts = false;
  std::optional<std::uint8_t> payload_type;
  std::uint32_t content_check = 256;  // of so many positions one is compared; 0: none
  bool operator==(const StreamVerifySpec&) const = default;
};

// When what castgate sees of a stream's legs is an alarm.
struct MonitorSpec {
  std::uint64_t degrade_loss_ppm = 1'000;               // of a leg's positions, within a second
  Nanoseconds latent_error_period{2'000'000'000};       // over which a leg is compared
  std::uint64_t latent_error_difference_ppm = 100'000;  // of the positions, not brought by a leg
  Nanoseconds down_after{3'000'000'000};                // without a packet of any leg
  bool operator==(const MonitorSpec&) const = default;
};

struct OutputSpec {
  std::string name;
  unsigned port = 0;
  VlanTags vlan;
  Endpoint to;
  IpAddress source;
  std::uint16_t source_port = 0;     // 0: the port of `to`
  std::uint8_t ttl = 16;             // 0: received TTL less one (`ttl: decrement`)
  std::optional<std::uint8_t> dscp;  // absent keeps what was received
  ProtectSpec protect;
  bool raw_esp = false;  // IP protocol 50, else UDP
  bool operator==(const OutputSpec&) const = default;
};

// What becomes of a packet that is larger than the path to a client takes.
enum class TooBig : std::uint8_t { Drop, Fragment };

// An output to clients that join.
struct UnicastSpec {
  std::string name;
  unsigned port = 0;
  VlanTags vlan;
  std::optional<IpAddress> source;   // absent: the port's first address of the client's family
  std::uint16_t source_port = 0;     // 0: the UDP port of the stream's first leg
  std::uint8_t ttl = 64;             // 0: received TTL less one (`ttl: decrement`)
  std::optional<std::uint8_t> dscp;  // absent keeps what was received
  unsigned max_clients = 1000;
  unsigned fan_workers = 1;        // among how many workers the clients are split
  unsigned copy_threshold = 256;   // bytes of UDP payload: from here on it is shared, not copied
  std::uint64_t max_rate_bps = 0;  // IP packets to one client; 0: no limit
  TooBig too_big = TooBig::Drop;
  ProtectSpec protect;
  bool operator==(const UnicastSpec&) const = default;
};

// When the groups of a stream's legs are joined upstream.
enum class UpstreamJoin : std::uint8_t { Always, OnDemand };

struct StreamSpec {
  std::string name;
  std::map<std::string, std::string> labels;
  std::vector<LegSpec> legs;
  SequenceSpec sequence;
  FailoverSpec failover;
  StreamVerifySpec verify;
  RestampSpec restamp;
  MonitorSpec monitor;
  UpstreamJoin join = UpstreamJoin::Always;
  Nanoseconds linger{2'000'000'000};  // join: on_demand: from the last client on
  std::uint64_t max_bitrate_bps = 0;  // its IP packets, as declared; 0: not said
  unsigned max_payload = 1328;        // UDP payload that comes, bytes
  std::vector<OutputSpec> outputs;    // groups
  std::vector<UnicastSpec> unicasts;

  // The place of a stream that was taken out while the appliance runs.
  bool is_vacant() const noexcept { return name.empty(); }
  bool operator==(const StreamSpec&) const = default;
};

struct Spec {
  ApplianceSpec appliance;
  DoorsSpec doors;
  std::vector<PortSpec> ports;
  std::vector<StreamSpec> streams;
};

// The port's network with these tags; null where it has none.
const NetworkSpec* find_network(const PortSpec& port, const VlanTags& tags) noexcept;

// Positions in the merge window: a power of two, at least twice what may be in flight between the
// fastest and the slowest leg. The slots of both halves of document 003's buffers. Of a stream
// without numbers the payloads remembered: twice what comes in the 2 * max_skew that they are.
std::uint64_t window_positions(const StreamSpec& stream) noexcept;

// By leg: its place in the order of preference, 0 is the best.
std::vector<std::uint8_t> preference(const StreamSpec& stream);

// Are copies of one position worth differently much?
bool has_choice(const StreamSpec& stream) noexcept;
// Workers that serve clients of the stream: as many as the output with most fan_workers asks for.
unsigned fan_parts(const StreamSpec& stream) noexcept;
// Each way in which packets of the stream come to where they are fanned out: in the clear first,
// where any output wants that.
std::vector<ProtectSpec> renditions_of(const StreamSpec& stream);
// Does any output of the stream encrypt before packets are fanned out?
bool is_protected(const StreamSpec& stream) noexcept;
// Has any client of the stream a key of its own?
bool is_isolated(const StreamSpec& stream) noexcept;

// Does any leg of the stream arrive encrypted?
bool is_opened(const StreamSpec& stream) noexcept;

// Does the stream leave with other RTP headers than it came with?
bool is_restamped(const StreamSpec& stream) noexcept;

// The SSRC that a restamped stream leaves with. That which is made of the name is the same on every
// appliance and after every start.
std::uint32_t ssrc_of(const StreamSpec& stream) noexcept;

// Is any leg numbered otherwise than the stream?
bool has_offsets(const StreamSpec& stream) noexcept;
// Is an offset of any leg to be learnt?
bool learns_offsets(const StreamSpec& stream) noexcept;
// offset: auto: the payloads that are remembered of each numbering: all that may come within twice
// max_skew.
std::uint64_t remembered_payloads(const StreamSpec& stream) noexcept;

// How long a packet may be kept: max_skew, or the playout delay where that is longer.
Nanoseconds longest_hold(const FailoverSpec& failover) noexcept;

}  // namespace castgate
