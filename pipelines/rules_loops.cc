// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <map>
#include <tuple>

#include "pipelines/rules.h"

namespace castgate {
namespace {

// A destination, and what tells its flows apart: a UDP port, or the SPI of IP protocol 50.
struct Place {
  IpAddress address;
  std::uint64_t number = 0;

  auto operator<=>(const Place&) const = default;
};
Place place_of(const Endpoint& to, bool raw_esp, std::uint32_t spi) {
  return {to.address, raw_esp ? std::uint64_t{1} << 32 | spi : to.udp_port};
}
Place place_of(const LegSpec& leg) {
  return place_of(leg.to, leg.open.is_raw_esp(), leg.open.spi);
}
Place place_of(const OutputSpec& output) {
  return place_of(output.to, output.raw_esp, output.protect.spi);
}

// Where a packet comes in or goes out: port, VLAN, destination, and the source or any.
using Source = std::optional<IpAddress>;
using Flow = std::tuple<unsigned, VlanTags, Place, Source>;

// The legs of a file, to be found by what a packet shows. Names the first of equals.
class LegIndex {
 public:
  // The path of the leg that has this key already; null where it is the first.
  const std::string* add(const LegSpec& leg, const std::string& path) {
    const Place to = place_of(leg);
    anywhere_.emplace(std::pair(to, leg.from), path);
    const auto [earlier, fresh] = exact_.emplace(Flow{leg.port, leg.vlan, to, leg.from}, path);
    return fresh ? nullptr : &earlier->second;
  }

  // The leg that would take what `output` sends, were it on the leg's own wire.
  const std::string* taker(const OutputSpec& output) const {
    const Place to = place_of(output);
    const std::string* exact = find(exact_, Flow{output.port, output.vlan, to, output.source});
    return exact != nullptr ? exact : find(exact_, Flow{output.port, output.vlan, to, Source{}});
  }

  // The same, wherever the leg's wire is.
  const std::string* taker_elsewhere(const OutputSpec& output) const {
    const Place to = place_of(output);
    const std::string* exact = find(anywhere_, std::pair(to, Source{output.source}));
    return exact != nullptr ? exact : find(anywhere_, std::pair(to, Source{}));
  }

 private:
  template <class Map>
  static const std::string* find(const Map& map, const typename Map::key_type& key) {
    const auto found = map.find(key);
    return found == map.end() ? nullptr : &found->second;
  }

  std::map<Flow, std::string> exact_;
  std::map<std::pair<Place, Source>, std::string> anywhere_;
};

bool complete(const RuleContext& rules, const std::string& path) {
  return rules.given(path + ".port") && rules.given(path + ".to") && !rules.bad(path + ".vlan") &&
         !rules.bad(path + ".from") && !rules.bad(path + ".source");
}

// One that is missing is complained of elsewhere.
bool has_spi(bool raw_esp, std::uint32_t spi) {
  return !raw_esp || spi != 0;
}

void index_leg(RuleContext& rules, LegIndex& legs, const LegSpec& leg, const std::string& path) {
  if (!complete(rules, path) || !has_spi(leg.open.is_raw_esp(), leg.open.spi)) return;
  const std::string* earlier = legs.add(leg, path);
  if (earlier == nullptr) return;
  rules.error(path, fmt::format("port, vlan, from{} are those of {}: no packet could tell "
                                "them apart",
                                leg.open.is_raw_esp() ? ", address and SPI" : " and to", *earlier));
}

// On one wire the output comes straight back: an error. On two wires it comes back only where
// somebody joins them, which the file cannot say: a warning, which `from:` silences.
void check_return(RuleContext& rules, const LegIndex& legs, const OutputSpec& output,
                  const std::string& path) {
  if (const std::string* leg = legs.taker(output)) {
    rules.error(path, fmt::format("{} would take this output back in: give it another group, or "
                                  "the leg a from:",
                                  *leg));
  } else if (const std::string* other = legs.taker_elsewhere(output)) {
    rules.warn(path, fmt::format("{} has the same group: where its network is joined to this one, "
                                 "the output comes back; a from: on the leg tells them apart",
                                 *other));
  }
}

// Who sends where; names the first of equals.
struct OutputIndex {
  std::map<Flow, std::string> exact;
  std::map<Flow, std::string> groups;  // whatever the source
};

void check_collision(RuleContext& rules, OutputIndex& outputs, const OutputSpec& output,
                     const std::string& path) {
  const Flow flow{output.port, output.vlan, place_of(output), output.source};
  const Flow anyone{output.port, output.vlan, place_of(output), Source{}};
  const auto [same, fresh] = outputs.exact.emplace(flow, path);
  const auto [group, first] = outputs.groups.emplace(anyone, path);
  if (!fresh) {
    rules.error(path, fmt::format("port, vlan, to and source are those of {}", same->second));
  } else if (!first) {
    rules.warn(path, fmt::format("{} sends to the same group: only source-specific receivers can "
                                 "tell them apart",
                                 group->second));
  }
}

}  // namespace

void check_loops(RuleContext& rules) {
  LegIndex legs;
  for (const StreamSpec& stream : rules.spec().streams) {
    for (const LegSpec& leg : stream.legs) index_leg(rules, legs, leg, path_of(stream, leg));
  }
  OutputIndex outputs;
  for (const StreamSpec& stream : rules.spec().streams) {
    for (const OutputSpec& output : stream.outputs) {
      const std::string path = path_of(stream, output);
      if (!complete(rules, path) || !rules.given(path + ".source")) continue;
      if (!has_spi(output.raw_esp, output.protect.spi)) continue;
      check_collision(rules, outputs, output, path);
      check_return(rules, legs, output, path);
    }
  }
}

}  // namespace castgate
