// SPDX-License-Identifier: Apache-2.0
// Any text may be given as a list of clients: what is read of it can be sent to, and the outputs
// have room for it at any moment.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "controlplane/clients/client_list.h"
#include "dataplane/base/check.h"

namespace castgate {
namespace {

// A port with addresses of both families, and one without any.
Spec make_spec() {
  Spec spec;
  PortSpec& out = spec.ports.emplace_back();
  out.name = "out";
  out.networks[0].addresses = {*IpPrefix::parse("10.9.0.1/16"), *IpPrefix::parse("2001:db8::1/64")};
  out.gateway = IpAddress::parse("10.9.255.254");
  out.neighbours[*IpAddress::parse("10.9.0.7")] = MacAddress{{2, 0, 0, 0, 9, 7}};
  spec.ports.emplace_back().name = "bare";
  for (const char* name : {"s", "t"}) {
    StreamSpec& stream = spec.streams.emplace_back();
    stream.name = name;
    stream.legs.emplace_back().to = {IpAddress::v4(0xef010001), 5000};
    stream.unicasts.push_back({.name = "homes", .max_clients = 3});
  }
  UnicastSpec& second = spec.streams[1].unicasts.emplace_back();
  second.name = "far";
  second.port = 1;
  second.source = IpAddress::v4(0x0a000001);
  return spec;
}

void check_client(const Spec& spec, const ReplayClient& client) {
  const ClientRoute& route = client.route;
  CG_CHECK(route.stream < spec.streams.size());
  CG_CHECK(route.unicast < spec.streams[route.stream].unicasts.size());
  CG_CHECK(route.to.udp_port != 0 && !route.to.address.is_multicast());
  CG_CHECK(route.to.address.is_v4() == route.source.is_v4());
  CG_CHECK(client.join_at >= Nanoseconds{0} && client.join_at < client.leave_at);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Spec spec = make_spec();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto clients = read_client_list(spec, text, "clients");
  if (!clients) {
    CG_CHECK(clients.error().text.starts_with("clients:"));
    return 0;
  }
  for (const ReplayClient& client : *clients) check_client(spec, client);
  for (const ReplayClient& at : *clients) {  // nobody's moment is one too many
    unsigned there = 0;
    for (const ReplayClient& other : *clients) {
      const bool same =
          other.route.stream == at.route.stream && other.route.unicast == at.route.unicast;
      there += same && other.join_at <= at.join_at && at.join_at < other.leave_at ? 1 : 0;
    }
    CG_CHECK(there <= spec.streams[at.route.stream].unicasts[at.route.unicast].max_clients);
    if (clients->size() > 200) break;
  }
  return 0;
}

}  // namespace castgate
