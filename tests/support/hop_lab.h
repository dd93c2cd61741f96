// SPDX-License-Identifier: Apache-2.0
// Clients on a port, and whoever finds out by which hosts they are reached.
#pragma once

#include <map>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "controlplane/clients/client_table.h"
#include "tests/support/fake_runtime.h"

namespace castgate::test {

inline constexpr MacAddress kMac{{2, 0, 0, 0, 9, 8}};
inline constexpr MacAddress kOther{{2, 0, 0, 0, 9, 9}};

inline IpAddress ip(const std::string& text) {
  return *IpAddress::parse(text);
}

inline Endpoint at(const std::string& text) {
  return Endpoint::parse(text).value();
}

class FakeResolver final : public HopResolver {
 public:
  bool resolves(unsigned /*port*/, VlanTags vlan) override { return vlan.count() == 0; }
  std::optional<IpAddress> router_for(unsigned /*port*/, VlanTags /*vlan*/,
                                      const IpAddress& to) override {
    ++asked;
    const auto router = routers.find(to);
    return router == routers.end() ? everybody : std::optional(router->second);
  }
  std::optional<MacAddress> watch(const Hop& hop) override {
    EXPECT_TRUE(watched.insert(hop).second) << "once for each hop";
    return known.contains(hop.address) ? std::optional(known[hop.address]) : std::nullopt;
  }
  void unwatch(const Hop& hop) override { EXPECT_EQ(watched.erase(hop), 1u); }

  unsigned asked = 0;
  std::map<IpAddress, IpAddress> routers{{ip("203.0.113.1"), ip("10.9.0.3")}};
  std::optional<IpAddress> everybody;  // whose router is not among them
  std::set<Hop> watched;
  std::map<IpAddress, MacAddress> known;
};

class NextHopsTest : public testing::Test {
 protected:
  NextHopsTest() {
    PortSpec& out = spec_.ports.emplace_back();
    out.name = "out";
    out.networks[0].addresses = {IpPrefix::parse("10.9.0.1/16").value()};
    out.gateway = ip("10.9.255.254");
    out.neighbours[ip("10.9.0.7")] = MacAddress{{2, 0, 0, 0, 9, 7}};
    StreamSpec& stream = spec_.streams.emplace_back();
    stream.name = "news";
    stream.unicasts.push_back({.name = "homes", .max_clients = 20'000});
    stream.unicasts.push_back({.name = "far"});
    clients_.set_runtime(&runtime_);
    clients_.next_hops().set_resolver(&resolver_);
  }
  void join(const std::string& client, const char* output = "news.homes") {
    const auto joined = clients_.join({.output = output, .client = at(client)}, {});
    ASSERT_TRUE(joined) << joined.error().text;
  }
  void turn() { clients_.next_hops().turn(runtime_); }
  void changed(const char* hop, std::optional<MacAddress> mac) {
    clients_.next_hops().changed({0, {}, ip(hop)}, mac);
  }

  Spec spec_;
  FakeRuntime runtime_;
  FakeResolver resolver_;
  ClientTable clients_{spec_};
};

}  // namespace castgate::test
