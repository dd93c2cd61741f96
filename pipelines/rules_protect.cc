// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <fmt/format.h>
#include <map>

#include "pipelines/key_entry.h"
#include "pipelines/rules.h"

namespace castgate {
namespace {

// Where sealed packets leave.
struct Way {
  unsigned port;
  std::string port_path;
  bool v6;
};

struct Use {
  const StreamSpec* stream;
  const ProtectSpec* protect;
};
using KeyUses = std::map<std::string, Use>;  // by key file

bool is_v6(const OutputSpec& output) noexcept {
  return !output.to.address.is_v4();
}
// Of clients it is told when they come: by their own MTU.
bool is_v6(const UnicastSpec& /*clients*/) noexcept {
  return false;
}

void check_bits(RuleContext& rules, const ProtectSpec& protect, const std::string& path) {
  if (protect.key_bits != 128 && protect.key_bits != 256) {
    rules.error(path + ".key_bits", fmt::format("{}: 128 or 256", protect.key_bits));
  }
  if (protect.profile == ProtectProfile::SrtpGcm) {
    if (rules.given(path + ".tag_bits")) {
      rules.error(path + ".tag_bits", "has no effect: tags of srtp_gcm have 128 bits");
    }
  } else if (protect.tag_bits != 80 && protect.tag_bits != 32) {
    rules.error(path + ".tag_bits", fmt::format("{}: 80 or 32", protect.tag_bits));
  }
}

// A number that is used twice under one key gives both packets away.
void check_numbers(RuleContext& rules, const StreamSpec& stream, const std::string& path) {
  const std::string own = path_of(stream);
  if (rules.bad(own + ".sequence") || rules.bad(own + ".failover.continuity")) return;
  if (stream.restamp.rtp == RtpFace::Insert) return;
  if (stream.restamp.rtp == RtpFace::Strip) {
    rules.error(path, "SRTP needs the RTP header that restamp.rtp: strip takes off");
  } else if (!stream.sequence.is_rtp()) {
    rules.error(path, "SRTP needs RTP: restamp.rtp: insert puts its header before other packets");
  } else if (stream.failover.continuity != Continuity::Splice) {
    rules.error(path, fmt::format("SRTP needs numbers that no restart of the source repeats: "
                                  "{}.failover.continuity: splice",
                                  own));
  }
}

void check_key_use(RuleContext& rules, const StreamSpec& stream, const ProtectSpec& protect,
                   const std::string& path, KeyUses& uses) {
  if (protect.key_file.empty()) return;
  const auto [at, is_new] = uses.try_emplace(protect.key_file, Use{&stream, &protect});
  if (is_new) return;
  const std::string key = path + ".key_file";
  if (at->second.stream != &stream) {
    rules.error(key, fmt::format("{} is stream {}'s already: two streams under one key may give "
                                 "packets of both away; each needs its own",
                                 protect.key_file, at->second.stream->name));
  } else if (!(*at->second.protect == protect)) {
    rules.error(key, fmt::format("{} is another output's with another profile, key_bits, "
                                 "tag_bits or max_packets: each of these needs its own key",
                                 protect.key_file));
  }
}

// Sealed packets of the longest kind would all be dropped as mtu.
void check_room(RuleContext& rules, const StreamSpec& stream, const ProtectSpec& protect,
                const std::string& path, const Way& way) {
  if (rules.bad(path_of(stream) + ".max_payload") || !rules.given(way.port_path)) return;
  constexpr unsigned kRtpHeader = 12;
  const PortSpec& port = rules.spec().ports[way.port];
  const unsigned headers = (way.v6 ? 40 : 20) + 8;
  const unsigned inserted = stream.restamp.rtp == RtpFace::Insert ? kRtpHeader : 0;
  const unsigned packet = stream.max_payload + inserted + protect_growth(protect) + headers;
  if (packet <= port.mtu) return;
  rules.error(path, fmt::format("payloads of {} bytes (streams.*.max_payload) become IP packets of "
                                "{}, and the MTU of port {} is {}",
                                stream.max_payload, packet, port.name, port.mtu));
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

}  // namespace

void check_protect(RuleContext& rules) {
  KeyUses uses;
  for (const StreamSpec& stream : rules.spec().streams) {
    const auto check = [&](const auto& output) {
      const std::string path = path_of(stream, output) + ".protect";
      if (!output.protect.is_on() || rules.bad(path + ".profile")) return;
      check_bits(rules, output.protect, path);
      check_numbers(rules, stream, path);
      check_key_use(rules, stream, output.protect, path, uses);
      check_room(rules, stream, output.protect, path,
                 {output.port, path_of(stream, output) + ".port", is_v6(output)});
    };
    std::ranges::for_each(stream.outputs, check);
    std::ranges::for_each(stream.unicasts, check);
    check_unicasts_alike(rules, stream);
  }
}

}  // namespace castgate
