// SPDX-License-Identifier: Apache-2.0
// What must hold between the values of a file, each of which is fine alone.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "dataplane/contract/spec.h"
#include "pipelines/section.h"

namespace castgate {

// Positions of one stream's merge window: some 40 MiB of slots.
inline constexpr std::uint64_t kMaxWindow = 1ull << 22;
// Payloads that one stream without numbers remembers: 68 MiB.
inline constexpr std::uint64_t kMaxRemembered = 1ull << 20;

// Payloads that are remembered of a numbering to learn an offset: 3.5 MiB.
inline constexpr std::uint64_t kMaxOffsetPayloads = 1ull << 16;

// What the rules share. Values that could not be read are not judged a second time.
class RuleContext {
 public:
  RuleContext(const Spec& spec, ReadContext& context) : spec_(spec), context_(context) {}

  const Spec& spec() const noexcept { return spec_; }
  bool given(const std::string& path) const { return context_.places.good(path); }
  bool bad(const std::string& path) const { return context_.places.bad(path); }
  void error(const std::string& path, std::string what);
  void warn(const std::string& path, std::string what);

 private:
  const Spec& spec_;
  ReadContext& context_;
};

// All of them, in this order.
void check_rules(const Spec& spec, ReadContext& context);

void check_appliance(RuleContext& rules);
void check_doors(RuleContext& rules);
void check_ports(RuleContext& rules);
// What is declared of legs and groups together is no more than each port takes.
void check_port_rates(RuleContext& rules);
void check_leg(RuleContext& rules, const StreamSpec& stream, const LegSpec& leg);
void check_output(RuleContext& rules, const StreamSpec& stream, const OutputSpec& output);
void check_unicast(RuleContext& rules, const StreamSpec& stream, const UnicastSpec& unicast);
// Whether anybody can ask for the stream.
void check_demand(RuleContext& rules, const StreamSpec& stream);
// Legs that are numbered otherwise than the stream.
void check_offsets(RuleContext& rules, const StreamSpec& stream);
void check_failover(RuleContext& rules, const StreamSpec& stream);
void check_restamp(RuleContext& rules, const StreamSpec& stream);
// Legs that arrive encrypted.
void check_open(RuleContext& rules, const StreamSpec& stream, const LegSpec& leg);
// What is encrypted can be, and no two streams with one key.
void check_protect(RuleContext& rules);
void check_monitor(RuleContext& rules, const StreamSpec& stream);
// Legs that cannot be told apart, outputs that collide, outputs that a leg would take back in.
void check_loops(RuleContext& rules);

std::string path_of(const PortSpec& port);
std::string path_of(const StreamSpec& stream);
std::string path_of(const StreamSpec& stream, const LegSpec& leg);
std::string path_of(const StreamSpec& stream, const OutputSpec& output);
std::string path_of(const StreamSpec& stream, const UnicastSpec& unicast);

// Why no packet may come from this address; nothing where one may.
std::optional<std::string_view> source_fault(const IpAddress& address) noexcept;
// A group that routers keep to one link: 224.0.0.0/24, ff00:: to ff02::.
bool is_link_local_group(const IpAddress& group) noexcept;

}  // namespace castgate
