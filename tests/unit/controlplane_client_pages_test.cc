// SPDX-License-Identifier: Apache-2.0
// Clients page by page, while others come and go: against a set that is sorted anew each time.
#include <random>
#include <set>

#include <gtest/gtest.h>

#include "controlplane/clients/client_table.h"
#include "tests/support/fake_runtime.h"

namespace castgate {
namespace {

class ClientPagesTest : public testing::Test {
 protected:
  ClientPagesTest() {
    PortSpec& out = spec_.ports.emplace_back();
    out.name = "out";
    out.networks[0].addresses = {IpPrefix::parse("10.9.0.1/16").value(),
                                 IpPrefix::parse("2001:db8:9::1/64").value()};
    for (const char* name : {"news1", "news10", "news2"}) {
      StreamSpec& stream = spec_.streams.emplace_back();
      stream.name = name;
      stream.unicasts.push_back({.name = "homes", .max_clients = UINT16_MAX});
    }
    spec_.streams[0].unicasts.push_back({.name = "far", .max_clients = UINT16_MAX});
    spec_.appliance.max_clients = UINT16_MAX;
    clients_.set_runtime(&runtime_);
  }
  void join(const ClientPosition& at) {
    const auto joined =
        clients_.join({.output = at.name.stream + "." + at.name.output, .client = at.client}, {});
    ASSERT_TRUE(joined) << joined.error().text;
    model_.insert(at);
  }
  void leave(const ClientPosition& at) {
    ASSERT_TRUE(clients_.leave(at.name.stream + "." + at.name.output, at.client));
    model_.erase(at);
  }
  ClientPosition any() {
    static const std::vector<OutputName> names{
        {"news1", "homes"}, {"news1", "far"}, {"news10", "homes"}, {"news2", "homes"}};
    const auto host = static_cast<std::uint32_t>(random_() % 5'000) + 2;
    const auto udp_port = static_cast<std::uint16_t>(6'000 + random_() % 3);
    auto bytes = IpAddress::parse("2001:db8:9::").value().bytes();
    bytes[14] = static_cast<std::uint8_t>(host >> 8);
    bytes[15] = static_cast<std::uint8_t>(host);
    const bool v6 = random_() % 4 == 0;
    return {names[random_() % names.size()],
            {v6 ? IpAddress::v6(bytes) : IpAddress::v4(0x0a090000 + host), udp_port}};
  }
  static ClientPosition position(const ClientEntry& client) {
    return {*client.name, client.route.to};
  }
  // All of a stream by pages, each behind the last of the one before.
  std::vector<ClientPosition> paged(std::string_view stream, std::size_t most) {
    std::vector<ClientPosition> seen;
    std::optional<ClientPosition> after;
    while (true) {
      const auto page = clients_.page(stream, after, most);
      EXPECT_LE(page.clients.size(), most);
      for (const ClientEntry* client : page.clients) seen.push_back(position(*client));
      if (!page.more) return seen;
      after = seen.back();
    }
  }
  std::vector<ClientPosition> expected(std::string_view stream) const {
    std::vector<ClientPosition> all;
    for (const ClientPosition& one : model_)
      if (stream == one.name.stream || stream == one.name.stream + "." + one.name.output)
        all.push_back(one);
    return all;
  }

  Spec spec_;
  test::FakeRuntime runtime_;
  ClientTable clients_{spec_};
  std::set<ClientPosition> model_;
  std::mt19937 random_{11};
};

TEST_F(ClientPagesTest, pages_are_the_clients_in_order_whoever_came_and_went) {
  for (unsigned step = 0; step < 8'000; ++step) {
    const ClientPosition one = any();
    const bool leaves = step % 3 == 2 && !model_.empty();
    if (!leaves && !model_.contains(one)) join(one);
    if (!leaves) continue;
    const auto near = model_.lower_bound(one);
    leave(near == model_.end() ? *model_.begin() : *near);
  }
  ASSERT_GT(model_.size(), 3 * SlotOrder::kMostOfPart);
  for (const char* stream : {"news1", "news1.homes", "news1.far", "news10", "news2", "none"}) {
    EXPECT_EQ(paged(stream, 97), expected(stream)) << stream;
  }
  std::vector<ClientPosition> all;
  for (const ClientEntry& client : clients_.all()) all.push_back(position(client));
  EXPECT_EQ(all, std::vector(model_.begin(), model_.end()));
  while (!model_.empty()) leave(random_() % 2 == 0 ? *model_.begin() : *model_.rbegin());
  EXPECT_TRUE(clients_.page("news1", {}, 10).clients.empty());
}

TEST_F(ClientPagesTest, page_goes_on_where_the_last_one_was_though_it_left) {
  for (unsigned host = 2; host < 12; ++host)
    join({{"news1", "homes"}, {IpAddress::v4(0x0a090000 + host), 6000}});
  const auto page = clients_.page("news1", {}, 4);
  ASSERT_TRUE(page.more);
  const ClientPosition last = position(*page.clients.back());
  leave(last);
  const auto next = clients_.page("news1", last, 6);
  ASSERT_EQ(next.clients.size(), 6u);
  EXPECT_EQ(next.clients[0]->route.to.address, IpAddress::v4(0x0a090006));
  EXPECT_FALSE(next.more) << "whole pages end as well";
}

TEST_F(ClientPagesTest, addresses_in_a_row_fill_the_parts) {
  for (unsigned host = 2; host < 2 + 3 * SlotOrder::kMostOfPart; ++host)
    join({{"news1", "homes"}, {IpAddress::v4(0x0a090000 + host), 6000}});
  for (unsigned host = 5'000; host > 5'000 - 3 * SlotOrder::kMostOfPart; --host)
    join({{"news1", "homes"}, {IpAddress::v4(0x0a090000 + host), 6000}});
  EXPECT_EQ(paged("news1", 100), expected("news1"));
}

}  // namespace
}  // namespace castgate
