// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <fmt/format.h>
#include <initializer_list>
#include <map>
#include <type_traits>

#include "dataplane/base/esp/esp_gcm.h"
#include "pipelines/key_entry.h"
#include "pipelines/rules.h"

namespace castgate {
namespace {

// Where sealed packets leave.
struct Way {
  unsigned port;
  std::string port_path;
  OuterHeaders outer;
};

struct Use {
  const StreamSpec* stream;
  const ProtectSpec* protect;
};
// What no two keys or streams have in common.
struct Uses {
  std::map<std::string, Use> by_file;
  std::map<std::uint32_t, std::string> by_spi;  // the key file
};

OuterHeaders outer_of(const OutputSpec& output) noexcept {
  return {.v6 = !output.to.address.is_v4(), .raw_esp = output.raw_esp};
}
// Of clients it is told when they come: by their own MTU.
OuterHeaders outer_of(const UnicastSpec& /*clients*/) noexcept {
  return {};
}

bool is_cut(const OutputSpec& /*group*/) noexcept {
  return false;
}
bool is_cut(const UnicastSpec& clients) noexcept {
  return clients.too_big == TooBig::Fragment;
}

void has_no_effect(RuleContext& rules, const std::string& path,
                   std::initializer_list<std::string_view> keys, std::string_view why) {
  for (const std::string_view key : keys) {
    const std::string full = fmt::format("{}.{}", path, key);
    if (rules.given(full)) rules.error(full, fmt::format("has no effect: {}", why));
  }
}

void check_bits(RuleContext& rules, const ProtectSpec& protect, const std::string& path) {
  if (protect.key_bits != 128 && protect.key_bits != 256) {
    rules.error(path + ".key_bits", fmt::format("{}: 128 or 256", protect.key_bits));
  }
  if (protect.profile != ProtectProfile::SrtpCm) {
    has_no_effect(rules, path, {"tag_bits"}, "tags of AES-GCM have 128 bits");
  } else if (protect.tag_bits != 80 && protect.tag_bits != 32) {
    rules.error(path + ".tag_bits", fmt::format("{}: 80 or 32", protect.tag_bits));
  }
}

void check_backend(RuleContext& rules, const ProtectSpec& protect, const std::string& path) {
  if (protect.backend == ProtectBackend::IpsecMb) return;
  if (protect.profile == ProtectProfile::SrtpCm) {
    rules.error(path + ".backend", "crypto devices are given AES-GCM alone; srtp_cm: ipsec_mb");
  } else if (rules.spec().appliance.crypto_device.empty()) {
    rules.error(path + ".backend", "appliance.crypto_device is missing: which one");
  }
}

// The next key comes before the last moment of the one that seals.
void check_lifetimes(RuleContext& rules, const ProtectSpec& protect, const std::string& path) {
  if (protect.max_packets != 0 && protect.rekey_packets > protect.max_packets) {
    rules.error(path + ".rekey_packets", fmt::format("{} are more than max_packets, {}",
                                                     protect.rekey_packets, protect.max_packets));
  }
  if (protect.max_time.count() != 0 && protect.rekey_time > protect.max_time)
    rules.error(path + ".rekey_time", "is longer than max_time");
}

// Who tells clients their keys.
void check_teller(RuleContext& rules, const std::string& path) {
  const auto& rest = rules.spec().doors.rest;
  if (!rest) {
    rules.warn(path, "per_client: nobody is told a key without doors.rest; a replay needs none");
    return;
  }
  const IpAddress& at = rest->listen.address;  // everywhere: on loopback as well
  if (rest->tls || at.is_loopback() || at.is_unspecified() || !rules.given("doors.rest.listen"))
    return;
  rules.error(path, "per_client: keys are told over TLS or on loopback alone: give doors.rest.tls");
}

void check_isolation(RuleContext& rules, const ProtectSpec& protect, const std::string& path,
                     bool to_clients) {
  if (!protect.is_isolated() || rules.bad(path + ".isolation")) return;
  if (!to_clients) {
    rules.error(path + ".isolation",
                "per_client: a group has no clients; for unicast outputs alone");
  } else if (protect.is_esp()) {
    rules.error(path + ".isolation", "per_client: srtp_gcm or srtp_cm");
  } else {
    check_teller(rules, path + ".isolation");
  }
  has_no_effect(rules, path, {"backend", "mki_bytes", "rekey_packets", "max_time", "rekey_time"},
                "each client has one key of its own, and the worker seals with it");
}

// A number that is used twice under one key gives both packets away.
void check_numbers(RuleContext& rules, const StreamSpec& stream, const std::string& path,
                   bool is_isolated) {
  const std::string own = path_of(stream);
  if (rules.bad(own + ".sequence") || rules.bad(own + ".failover.continuity")) return;
  if (stream.restamp.rtp == RtpFace::Insert) return;
  if (stream.restamp.rtp == RtpFace::Strip) {
    rules.error(path, "SRTP needs the RTP header that restamp.rtp: strip takes off");
  } else if (!stream.sequence.is_rtp()) {
    rules.error(path, "SRTP needs RTP: restamp.rtp: insert puts its header before other packets");
  } else if (!is_isolated && stream.failover.continuity != Continuity::Splice) {
    rules.error(path, fmt::format("SRTP needs numbers that no restart of the source repeats: "
                                  "{}.failover.continuity: splice",
                                  own));
  }
}

void check_srtp(RuleContext& rules, const StreamSpec& stream, const ProtectSpec& protect,
                const std::string& path) {
  check_numbers(rules, stream, path, protect.is_isolated());
  has_no_effect(
      rules, path,
      {"spi", "esn", "udp_encapsulation", "inner.to", "inner.source", "inner.source_port"},
      "that is for ESP, and this is SRTP");
}

void check_key_use(RuleContext& rules, const StreamSpec& stream, const ProtectSpec& protect,
                   const std::string& path, Uses& uses) {
  if (protect.key_file.empty()) return;
  const auto [at, is_new] = uses.by_file.try_emplace(protect.key_file, Use{&stream, &protect});
  if (is_new) return;
  const std::string key = path + ".key_file";
  if (at->second.stream != &stream) {
    rules.error(key, fmt::format("{} is stream {}'s already: two streams under one key may give "
                                 "packets of both away; each needs its own",
                                 protect.key_file, at->second.stream->name));
  } else if (!(*at->second.protect == protect)) {
    rules.error(
        key, fmt::format("{} is another output's that encrypts otherwise (profile, bits, "
                         "isolation, max_packets, spi, addresses inside): each needs its own key",
                         protect.key_file));
  }
}

// Sealed packets of the longest kind would all be dropped as mtu.
// The longest IP packet that leaves.
unsigned packet_of(const StreamSpec& stream, const ProtectSpec& protect, const Way& way) noexcept {
  constexpr unsigned kRtpHeader = 12;
  unsigned payload = stream.max_payload;
  if (stream.restamp.rtp == RtpFace::Insert) payload += kRtpHeader;
  if (stream.restamp.rtp == RtpFace::Strip) payload -= std::min(payload, kRtpHeader);
  return protected_packet(protect, payload, way.outer);
}

void check_room(RuleContext& rules, const StreamSpec& stream, const ProtectSpec& protect,
                const std::string& path, const Way& way) {
  if (rules.bad(path_of(stream) + ".max_payload") || !rules.given(way.port_path)) return;
  const PortSpec& port = rules.spec().ports[way.port];
  const unsigned packet = packet_of(stream, protect, way);
  if (packet <= port.mtu) return;
  rules.error(path, fmt::format("payloads of {} bytes (streams.*.max_payload) become IP packets of "
                                "{}, and the MTU of port {} is {}",
                                stream.max_payload, packet, port.name, port.mtu));
}

// What is longer than the way takes is dropped by name (mtu): a word where somebody has said how
// long it is.
void check_room_in_the_clear(RuleContext& rules, const StreamSpec& stream, const Way& way,
                             bool is_cut) {
  const std::string key = path_of(stream) + ".max_payload";
  if (is_cut || !rules.given(key) || !rules.given(way.port_path)) return;
  const PortSpec& port = rules.spec().ports[way.port];
  const unsigned packet = packet_of(stream, {}, way);
  if (packet <= port.mtu) return;
  rules.warn(key, fmt::format("{} bytes become IP packets of {}, and the MTU of port {} is {}: "
                              "those are dropped (mtu)",
                              stream.max_payload, packet, port.name, port.mtu));
}

// Of ESP: what receivers tell keys by.
void check_spi(RuleContext& rules, const ProtectSpec& protect, const std::string& path,
               Uses& uses) {
  const std::string key = path + ".spi";
  if (rules.bad(key)) return;
  if (protect.spi == 0) {
    return rules.error(path, fmt::format("spi is missing: ESP's receivers know the key by it, {} "
                                         "or more",
                                         kFirstSpi));
  }
  const auto [at, is_new] = uses.by_spi.try_emplace(protect.spi, protect.key_file);
  if (is_new || at->second == protect.key_file) return;
  rules.error(key, fmt::format("{:#x} is that of {} already", protect.spi, at->second));
}

void check_inner(RuleContext& rules, const ProtectSpec& protect, const std::string& path,
                 bool to_clients) {
  if (protect.profile != ProtectProfile::EspTunnel) {
    if (to_clients) {
      return rules.error(path + ".profile",
                         "the addresses of the group are inside as well: for groups alone, and "
                         "esp_tunnel for clients");
    }
    return has_no_effect(rules, path, {"inner.to", "inner.source", "inner.source_port"},
                         "the addresses inside are those of the output");
  }
  const InnerHeaders& inner = protect.inner;
  if (rules.bad(path + ".inner.to") || rules.bad(path + ".inner.source")) return;
  if (inner.source.is_unspecified()) {
    rules.error(path + ".inner", "inner.source is missing: the first leg takes any source");
  } else if (inner.source.is_v4() != inner.to.address.is_v4()) {
    rules.error(path + ".inner", fmt::format("source {} and to {} are not of one family",
                                             inner.source.to_string(), inner.to.to_string()));
  }
}

void check_unicasts_alike(RuleContext& rules, const StreamSpec& stream) {
  if (stream.unicasts.empty()) return;
  const UnicastSpec& first = stream.unicasts.front();
  for (const UnicastSpec& unicast : stream.unicasts) {
    if (unicast.protect == first.protect) continue;
    rules.error(path_of(stream, unicast),
                fmt::format("unicast outputs of one stream are protected alike; {} is otherwise",
                            first.name));
  }
}

// `output`: an OutputSpec or UnicastSpec.
template <class Output>
void check_one(RuleContext& rules, const StreamSpec& stream, const Output& output, Uses& uses) {
  const ProtectSpec& protect = output.protect;
  const std::string path = path_of(stream, output) + ".protect";
  if (rules.bad(path + ".profile")) return;
  const Way way{output.port, path_of(stream, output) + ".port", outer_of(output)};
  if (!protect.is_on()) return check_room_in_the_clear(rules, stream, way, is_cut(output));
  check_bits(rules, protect, path);
  check_backend(rules, protect, path);
  check_lifetimes(rules, protect, path);
  check_isolation(rules, protect, path, std::is_same_v<Output, UnicastSpec>);
  if (protect.is_srtp()) {
    check_srtp(rules, stream, protect, path);
  } else {
    has_no_effect(rules, path, {"mki_bytes"}, "receivers of ESP know keys by their SPI");
    check_spi(rules, protect, path, uses);
    check_inner(rules, protect, path, std::is_same_v<Output, UnicastSpec>);
  }
  check_key_use(rules, stream, protect, path, uses);
  check_room(rules, stream, protect, path, way);
}

}  // namespace

void check_protect(RuleContext& rules) {
  Uses uses;
  for (const StreamSpec& stream : rules.spec().streams) {
    for (const OutputSpec& output : stream.outputs) check_one(rules, stream, output, uses);
    for (const UnicastSpec& output : stream.unicasts) check_one(rules, stream, output, uses);
    check_unicasts_alike(rules, stream);
  }
}

}  // namespace castgate
