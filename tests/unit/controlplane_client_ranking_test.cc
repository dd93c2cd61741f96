// SPDX-License-Identifier: Apache-2.0
// Some of many clients: which are told, and what `top` makes of them.
#include <chrono>
#include <nlohmann/json.hpp>

#include <gtest/gtest.h>

#include "controlplane/clients/client_orders.h"
#include "controlplane/report/client_rates.h"
#include "controlplane/report/client_report.h"
#include "tests/support/fake_runtime.h"

namespace castgate {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

class ClientRankingTest : public testing::Test {
 protected:
  ClientRankingTest() {
    PortSpec& out = spec_.ports.emplace_back();
    out.name = "out";
    out.networks[0].addresses = {IpPrefix::parse("10.9.0.1/16").value()};
    spec_.appliance.max_clients = 100'000;
    StreamSpec& stream = spec_.streams.emplace_back();
    stream.name = "news1";
    stream.unicasts.push_back({.name = "homes", .max_clients = 65'536});
    clients_.set_runtime(&runtime_);
  }
  // At 10.9.0.7:PORT, the first at 6000.
  void join(unsigned count) {
    for (unsigned c = 0; c < count; ++c) {
      const Endpoint client{IpAddress::parse("10.9.0.7").value(),
                            static_cast<std::uint16_t>(6000 + c)};
      ASSERT_TRUE(clients_.join({.output = "news1", .client = client}, now_));
    }
  }
  json ask(const json& request) {
    return json::parse(answer_client_order(request.dump(), clients_, now_).value());
  }
  std::vector<std::string> addresses(const json& request) {
    std::vector<std::string> all;
    const json reply = ask(request);
    for (const json& client : reply.at("clients")) all.push_back(client.at("address"));
    return all;
  }

  Spec spec_;
  test::FakeRuntime runtime_;
  ClientTable clients_{spec_};
  Instant now_{5'000'000'000};
};

using Addresses = std::vector<std::string>;

TEST_F(ClientRankingTest, those_with_the_most_are_first_and_others_left_out) {
  runtime_.count_client = [](const ClientPlace& place) {
    const std::array<std::uint64_t, 4> drops{0, 30, 7, 30};
    return ClientCounters{.packets = 10 + place.slot, .drops = {0, drops.at(place.slot), 0, 1}};
  };
  join(4);
  EXPECT_EQ(addresses({{"show", "clients"}, {"top", 2}, {"by", "drops"}}),
            (Addresses{"10.9.0.7:6001", "10.9.0.7:6003"}));
  EXPECT_EQ(addresses({{"show", "clients"}, {"by", "drops"}}),
            (Addresses{"10.9.0.7:6001", "10.9.0.7:6003", "10.9.0.7:6002", "10.9.0.7:6000"}));
  EXPECT_EQ(addresses({{"show", "clients"}, {"top", 1}, {"by", "packets"}}),
            Addresses{"10.9.0.7:6003"});
  EXPECT_EQ(addresses({{"show", "clients"}, {"top", 2}}),
            (Addresses{"10.9.0.7:6000", "10.9.0.7:6001"}));
  EXPECT_EQ(ask({{"show", "clients"}, {"top", 2}}).at("total"), 4);
  EXPECT_EQ(ask({{"show", "clients"}, {"top", 9}}).at("clients").size(), 4u);
}

TEST_F(ClientRankingTest, rate_is_over_the_time_that_a_client_was_there) {
  runtime_.count_client = [](const ClientPlace& place) {
    return ClientCounters{.packets = 1, .bytes = place.slot == 0 ? 1000u : 600u};
  };
  join(1);
  now_ = now_ + 1s;
  const Endpoint later = Endpoint::parse("10.9.0.7:7000").value();
  ASSERT_TRUE(clients_.join({.output = "news1", .client = later}, now_));
  now_ = now_ + 1s;  // 1000 bytes in 2 s, 600 bytes in 1 s
  EXPECT_EQ(addresses({{"show", "clients"}, {"by", "rate"}}),
            (Addresses{"10.9.0.7:7000", "10.9.0.7:6000"}));
}

TEST_F(ClientRankingTest, what_is_no_choice_is_told) {
  join(1);
  const auto error = [&](const json& more) {
    json request{{"show", "clients"}};
    request.update(more);
    return ask(request).value("error", "");
  };
  EXPECT_EQ(error({{"by", "name"}}), "by: \"name\" is none of rate, drops, packets");
  EXPECT_NE(error({{"top", 0}}).find("expected"), std::string::npos);
  EXPECT_NE(error({{"top", -1}}).find("expected"), std::string::npos);
  EXPECT_NE(error({{"top", "all"}}).find("expected"), std::string::npos);
  EXPECT_NE(error({{"bottom", 3}}).find("expected"), std::string::npos);
  EXPECT_FALSE(answer_client_order(R"({"show": "streams", "top": 3})", clients_, now_));
}

TEST_F(ClientRankingTest, text_says_how_many_are_not_shown) {
  join(3);
  EXPECT_TRUE(clients_text(ask({{"show", "clients"}})).ends_with("\n3 clients\n"));
  EXPECT_TRUE(clients_text(ask({{"show", "clients"}, {"top", 2}}))
                  .ends_with("\n3 clients, 2 of them here\n"));
}

json reply_of(std::uint64_t packets, std::uint64_t drops, double seconds) {
  json client{{"id", "c1"},
              {"address", "10.9.0.7:6000"},
              {"stream", "news1"},
              {"output", "homes"},
              {"seconds", seconds},
              {"packets", packets},
              {"bytes", packets * 1250}};
  client["drops"] = {{"mtu", drops}, {"tx_full", 0}};
  return {{"total", 10'000}, {"clients", {client}}};
}

TEST(ClientRatesTest, clients_have_rates_since_they_were_last_seen_or_joined) {
  const json before = reply_of(1000, 5, 10);
  const json after = reply_of(3000, 25, 12);
  EXPECT_EQ(client_rates_table(before, after, 2s).to_string(),
            "client         stream  output  for s  out pps  out Mbit/s  dropped/s  dropped\n"
            "10.9.0.7:6000  news1   homes      12     1000       10.00         10       25\n");
  EXPECT_EQ(client_rates_table(nullptr, after, 2s).to_string(),
            "client         stream  output  for s  out pps  out Mbit/s  dropped/s  dropped\n"
            "10.9.0.7:6000  news1   homes      12      250        2.50          2       25\n");
  EXPECT_EQ(clients_headline(after, "drops"), "10000 clients; the first 1 by drops:");
  EXPECT_EQ(clients_headline({{"total", 0}}, "rate"), "no clients");
}

TEST(ClientRatesTest, outputs_tell_who_is_there_and_of_how_many) {
  Snapshot before;
  StreamSnapshot& stream = before.streams.emplace_back();
  stream.name = "news1";
  stream.unicasts = {{.name = "homes", .clients = 9, .max_clients = 100},
                     {.name = "far", .clients = 1, .max_clients = 10}};
  Snapshot after = before;
  after.streams[0].unicasts[0].clients = 10;
  after.streams[0].unicasts[0].packets = 20'000;
  after.streams[0].unicasts[0].bytes = 25'000'000;
  after.streams[0].unicasts[1].drops = 4;
  after.streams[0].unicasts[1].backlog = 2;
  EXPECT_EQ(unicast_rates_table(before, after, 2s).to_string(),
            "stream  output  clients  of at most  out pps  out Mbit/s  dropped/s  backlog/s\n"
            "news1   homes        10         100    10000      100.00          0          0\n"
            "news1   far           1          10        0        0.00          2          1\n"
            "all                  11         110    10000      100.00          2          1\n");
  after.streams[0].unicasts.pop_back();
  EXPECT_EQ(unicast_rates_table(before, after, 2s).to_string().find("all"), std::string::npos);
}

}  // namespace
}  // namespace castgate
