// SPDX-License-Identifier: Apache-2.0
// Who joins, leaves and stays: the client table and what the control socket says to it.
#include <nlohmann/json.hpp>

#include <gtest/gtest.h>

#include "controlplane/clients/client_orders.h"
#include "tests/support/fake_runtime.h"
#include "tests/support/one_key.h"
#include "tests/support/srtp_opener.h"

namespace castgate {
namespace {

using nlohmann::json;

Endpoint at(const std::string& text) {
  return Endpoint::parse(text).value();
}

class ClientTableTest : public testing::Test {
 protected:
  ClientTableTest() {
    PortSpec& out = spec_.ports.emplace_back();
    out.name = "out";
    out.networks[0].addresses = {IpPrefix::parse("10.9.0.1/16").value()};
    out.gateway = IpAddress::parse("10.9.255.254");
    out.neighbours[*IpAddress::parse("10.9.0.7")] = MacAddress{{2, 0, 0, 0, 9, 7}};
    out.neighbours[*IpAddress::parse("10.9.255.254")] = MacAddress{{2, 0, 0, 0, 9, 0xfe}};
    for (const char* name : {"news1", "news2"}) {
      StreamSpec& stream = spec_.streams.emplace_back();
      stream.name = name;
      stream.unicasts.push_back({.name = "homes"});
    }
    spec_.streams[1].unicasts.push_back({.name = "far"});
    clients_.set_runtime(&runtime_);
  }
  json ask(const json& request) {
    return json::parse(answer_client_order(request.dump(), clients_, now_).value_or("null"));
  }
  json order(const char* word, const std::string& stream, const std::string& client) {
    return ask({{word, {{"stream", stream}, {"client", client}}}});
  }

  ClientResult<ClientTable::Joined> join(const std::string& output, const std::string& client) {
    return clients_.join({.output = output, .client = at(client)}, now_);
  }

  Spec spec_;
  test::FakeRuntime runtime_;
  ClientTable clients_{spec_};
  Instant now_{5'000'000'000};
};

TEST_F(ClientTableTest, join_hands_the_way_to_the_worker) {
  ASSERT_TRUE(join("news2.far", "10.9.0.7:6000"));
  ASSERT_TRUE(join("news1", "192.0.2.1:7000"));
  ASSERT_EQ(runtime_.joined.size(), 2u);
  EXPECT_EQ(runtime_.joined[0].stream, 1u);
  EXPECT_EQ(runtime_.joined[0].unicast, 1u);
  EXPECT_EQ(runtime_.joined[0].source, IpAddress::parse("10.9.0.1"));
  EXPECT_EQ(runtime_.joined[0].next_hop->bytes[5], 7);
  EXPECT_EQ(runtime_.joined[1].next_hop->bytes[5], 0xfe);
  EXPECT_EQ(clients_.size(), 2u);
}

TEST_F(ClientTableTest, client_that_is_there_joins_once) {
  const auto first = join("news1", "10.9.0.7:6000");
  const auto again = join("news1.homes", "10.9.0.7:6000");
  ASSERT_TRUE(first && again);
  EXPECT_EQ(first->client, again->client);
  EXPECT_TRUE(first->is_new);
  EXPECT_FALSE(again->is_new);
  EXPECT_EQ(runtime_.joined.size(), 1u);
  EXPECT_TRUE(join("news1", "10.9.0.7:6001"));
  EXPECT_EQ(runtime_.joined.size(), 2u);
}

TEST_F(ClientTableTest, what_cannot_be_is_told) {
  const auto error = [&](const std::string& stream, const std::string& client) {
    return order("join", stream, client).value("error", "");
  };
  EXPECT_EQ(error("news3", "10.9.0.7:6000"),
            "'news3' is no stream with a unicast output; there are: news1.homes, news2.homes, "
            "news2.far");
  EXPECT_EQ(error("news2", "10.9.0.7:6000"),
            "'news2' has several unicast outputs: say which; there are: news1.homes, "
            "news2.homes, news2.far");
  EXPECT_NE(error("news1", "10.9.0.7").find("no address and UDP port"), std::string::npos);
  EXPECT_EQ(error("news1", "239.0.0.1:7"), "239.0.0.1 is no host's address");
  EXPECT_EQ(error("news1", "0.0.0.0:7"), "0.0.0.0 is no host's address");
  EXPECT_EQ(error("news1", "255.255.255.255:7"), "255.255.255.255 is no host's address");
  EXPECT_EQ(error("news1", "127.0.0.1:7"), "127.0.0.1 is on loopback: packets leave by a port");
  EXPECT_EQ(error("news1", "10.9.0.1:7"), "10.9.0.1 is port out's own");
  EXPECT_EQ(error("news1", "10.9.255.255:7"), "10.9.255.255 is everybody in 10.9.0.1/16");
  EXPECT_EQ(error("news1", "10.9.0.0:7"), "10.9.0.0 is everybody in 10.9.0.1/16");
  EXPECT_NE(error("news1", "[2001:db8::1]:7").find("no IPv6 address"), std::string::npos);
  EXPECT_EQ(order("leave", "news1", "10.9.0.7:6000").value("error", ""),
            "10.9.0.7:6000 is no client of news1.homes");
  spec_.appliance.max_clients = 0;
  EXPECT_NE(error("news1", "10.9.0.7:6000").find("max_clients"), std::string::npos);
  EXPECT_TRUE(runtime_.joined.empty());
  EXPECT_TRUE(ask({{"join", 7}}).contains("error"));
  EXPECT_TRUE(ask({{"leave", {{"stream", 1}, {"client", 2}}}}).contains("error"));
  EXPECT_FALSE(answer_client_order(R"({"show": "streams"})", clients_, now_));
  EXPECT_FALSE(answer_client_order("no json", clients_, now_));
}

TEST_F(ClientTableTest, busy_worker_changes_nothing) {
  ASSERT_TRUE(join("news1", "10.9.0.7:6000"));
  runtime_.commands_full = true;
  EXPECT_FALSE(join("news1", "10.9.0.7:6001"));
  EXPECT_FALSE(clients_.leave("news1", at("10.9.0.7:6000")));
  EXPECT_EQ(clients_.size(), 1u);
  runtime_.commands_full = false;
  EXPECT_TRUE(clients_.leave("news1", at("10.9.0.7:6000")));
  EXPECT_EQ(clients_.size(), 0u);
}

TEST_F(ClientTableTest, socket_shows_each_client_with_its_counters) {
  const json joined = order("join", "news1", "10.9.0.7:6000");
  EXPECT_EQ(joined.value("id", "").size(), 32u);
  EXPECT_EQ(joined.value("door", ""), "control");
  EXPECT_TRUE(order("join", "news1", "10.9.0.8:6000").contains("warning"));
  now_ = now_ + std::chrono::seconds(3);
  const json shown = ask({{"show", "clients"}});
  ASSERT_EQ(shown["clients"].size(), 2u);
  const json& first = shown["clients"][0];
  EXPECT_EQ(first["address"], "10.9.0.7:6000");
  EXPECT_EQ(first["output"], "homes");
  EXPECT_EQ(first["packets"], 1000);
  EXPECT_EQ(first["drops"]["mtu"], 2);
  EXPECT_EQ(first["seconds"], 3.0);
  EXPECT_EQ(order("leave", "news1", "10.9.0.8:6000")["packets"], 1001);
  EXPECT_EQ(ask({{"show", "clients"}})["clients"].size(), 1u);
}

TEST_F(ClientTableTest, reload_keeps_clients_of_outputs_that_stay) {
  ASSERT_TRUE(join("news1", "10.9.0.7:6000"));
  ASSERT_TRUE(join("news2.homes", "10.9.0.7:6000"));
  ASSERT_TRUE(join("news2.far", "10.9.0.7:6000"));
  const Spec before = spec_;
  spec_.streams[0].unicasts[0].ttl = 9;                                // changes: joins anew
  spec_.streams[1].unicasts.erase(spec_.streams[1].unicasts.begin());  // homes goes, far moves
  EXPECT_EQ(clients_.follow(before), 1u);
  EXPECT_EQ(runtime_.joined.size(), 4u);
  ASSERT_EQ(clients_.size(), 2u);
  EXPECT_EQ(clients_.all()[1].name->output, "far");
  EXPECT_EQ(clients_.all()[1].place.unicast, 0u);
  EXPECT_EQ(clients_.all()[1].place.slot, 2u);
}

TEST_F(ClientTableTest, reload_with_more_keys_and_places_moves_no_client) {
  ProtectSpec& protect = spec_.streams[0].unicasts[0].protect;
  protect.profile = ProtectProfile::SrtpGcm;
  protect.keys = test::one_key(test::key_of(28, 1));
  ASSERT_TRUE(join("news1", "10.9.0.7:6000"));
  const Spec before = spec_;
  protect.keys.push_back({.epoch = 2, .key = test::key_of(28, 2), .numbers = nullptr});
  spec_.streams[0].unicasts[0].max_clients = 5000;
  EXPECT_EQ(clients_.follow(before), 0u);
  EXPECT_EQ(runtime_.joined.size(), 1u);  // none anew
  EXPECT_EQ(clients_.size(), 1u);
}

}  // namespace
}  // namespace castgate
