// SPDX-License-Identifier: Apache-2.0
// The REST door: who joins, proves its address, renews and leaves.
#include "tests/support/rest_lab.h"

namespace castgate {
namespace {

using std::chrono::seconds;
using test::json;
using test::kNews;

class RestTest : public test::RestLab {};

TEST_F(RestTest, stock_receiver_joins_at_its_own_address_on_a_short_first_lease) {
  const Reply joined = join({{"udp_port", 6000}});
  ASSERT_EQ(joined.status, 201u) << joined.body;
  EXPECT_EQ(joined.body["address"], "10.9.0.7");
  EXPECT_EQ(joined.body["udp_port"], 6000);
  EXPECT_EQ(joined.body["state"], "active");
  EXPECT_EQ(joined.body["lease_s"], 15);
  EXPECT_EQ(joined.body["source"]["address"], "10.9.0.1");
  EXPECT_EQ(joined.body["source"]["udp_port"], 5000);
  EXPECT_EQ(joined.body["sequence"], "rtp");
  EXPECT_EQ(joined.body["drops"]["mtu"], 2);
  const std::string location = joined.headers.at("Location");
  EXPECT_EQ(location, "/v1/streams/news1.homes/clients/" + joined.id());
  now_ = now_ + seconds(5);
  EXPECT_EQ(ask("GET", location).body["expires_in_s"], 10);
  const Reply renewed = ask("PUT", location);
  EXPECT_EQ(renewed.status, 200u);
  EXPECT_EQ(renewed.body["lease_s"], 60);
  EXPECT_EQ(renewed.body["expires_in_s"], 60);
  EXPECT_EQ(ask("DELETE", location).status, 204u);
  EXPECT_EQ(ask("GET", location).status, 404u);
  EXPECT_EQ(runtime_.left.size(), 1u);
  EXPECT_EQ(counters_.joins, 1u);
  EXPECT_EQ(counters_.renewals, 1u);
  EXPECT_EQ(counters_.leaves, 1u);
}

TEST_F(RestTest, ttl_of_the_clients_own_packets_is_told_where_it_is_known) {
  EXPECT_FALSE(join({{"udp_port", 6000}}).body.contains("ttl_seen"));
  come_from("10.9.0.8");
  ttl_ = 61;
  const Reply joined = join({{"udp_port", 6000}});
  EXPECT_EQ(joined.body["ttl_seen"], 61);
  EXPECT_EQ(ask("GET", joined.headers.at("Location")).body["ttl_seen"], 61);
}

TEST_F(RestTest, health_is_an_empty_answer) {
  const Reply reply = ask("GET", "/v1/health");
  EXPECT_EQ(reply.status, 204u);
  EXPECT_TRUE(reply.body.is_null());
  EXPECT_EQ(ask("POST", "/v1/health").status, 405u);
}

TEST_F(RestTest, stock_receiver_gets_one_stream) {
  ASSERT_EQ(join({{"udp_port", 6000}}).status, 201u);
  EXPECT_EQ(join({{"udp_port", 6000}}).status, 200u);  // the same again is the same
  EXPECT_EQ(join({{"udp_port", 6001}}).status, 429u);
  EXPECT_EQ(join({{"udp_port", 6000}}, "/v1/streams/news2.far/clients").status, 429u);
  EXPECT_EQ(counters_.quota, 2u);
  come_from("10.9.0.8");
  EXPECT_EQ(join({{"udp_port", 6000}}).status, 201u);
}

TEST_F(RestTest, nothing_flows_to_an_address_that_has_not_proved_itself) {
  EXPECT_EQ(join({{"udp_port", 6000}, {"address", "10.9.0.99"}}).status, 403u);
  EXPECT_EQ(counters_.forbidden, 1u);
  const Reply asked = join({{"udp_port", 6000}, {"address", "10.9.0.99"}, {"proof", true}});
  ASSERT_EQ(asked.status, 202u) << asked.body;
  EXPECT_EQ(asked.body["state"], "unproved");
  EXPECT_TRUE(runtime_.joined.empty());
  ASSERT_EQ(proofs_.size(), 1u);
  EXPECT_EQ(proofs_[0].first.to_string(), "10.9.0.99:6000");
  EXPECT_EQ(proofs_[0].second, "castgate-proof/1 " + last_nonce() + "\n");
  EXPECT_EQ(proofs_[0].second.size(), 50u);

  std::string wrong = last_nonce();
  wrong[0] = wrong[0] == '0' ? '1' : '0';
  EXPECT_EQ(renew(asked.id(), {{"nonce", wrong}}).status, 403u);
  EXPECT_EQ(renew(asked.id()).body["state"], "unproved");
  EXPECT_TRUE(runtime_.joined.empty());
  const Reply proved = renew(asked.id(), {{"nonce", last_nonce()}});
  EXPECT_EQ(proved.status, 200u);
  EXPECT_EQ(proved.body["state"], "active");
  EXPECT_EQ(proved.body["lease_s"], 60);
  EXPECT_EQ(proved.id(), asked.id());
  ASSERT_EQ(runtime_.joined.size(), 1u);
  EXPECT_EQ(runtime_.joined[0].to.to_string(), "10.9.0.99:6000");
  EXPECT_EQ(renew(asked.id(), {{"nonce", last_nonce()}}).status, 200u);  // brought back twice
  EXPECT_EQ(runtime_.joined.size(), 1u);
  EXPECT_EQ(counters_.proofs_failed, 1u);
}

TEST_F(RestTest, proof_is_sent_three_times_and_forgotten_after_ten_seconds) {
  const Reply asked = join({{"udp_port", 6000}, {"proof", true}});
  for (unsigned i = 0; i < 95; ++i) {
    now_ = now_ + std::chrono::milliseconds(100);
    door_->turn();
  }
  EXPECT_EQ(proofs_.size(), 3u);
  EXPECT_EQ(counters_.proofs_sent, 3u);
  EXPECT_EQ(renew(asked.id()).status, 200u);
  now_ = now_ + seconds(1);
  door_->turn();
  EXPECT_EQ(renew(asked.id(), {{"nonce", last_nonce()}}).status, 404u);
  EXPECT_EQ(counters_.proofs_expired, 1u);
}

TEST_F(RestTest, proof_leaves_as_soon_as_the_way_is_known) {
  sends_ = false;
  ASSERT_EQ(join({{"udp_port", 6000}, {"proof", true}}).status, 202u);
  sends_ = true;
  now_ = now_ + std::chrono::milliseconds(100);
  door_->turn();
  EXPECT_EQ(proofs_.size(), 2u);
  EXPECT_EQ(counters_.proofs_sent, 1u);
}

TEST_F(RestTest, asking_again_for_a_proof_makes_no_second_one) {
  const Reply first = join({{"udp_port", 6000}, {"proof", true}});
  const Reply again = join({{"udp_port", 6000}, {"proof", true}});
  EXPECT_EQ(again.status, 202u);
  EXPECT_EQ(again.id(), first.id());
  EXPECT_EQ(proofs_.size(), 1u);
}

TEST_F(RestTest, proof_of_one_peer_is_not_told_to_another) {
  const Reply own = join({{"udp_port", 6000}, {"proof", true}});
  const std::string nonce = last_nonce();
  come_from("10.9.0.8");
  const Reply other = join({{"udp_port", 6000}, {"address", "10.9.0.7"}, {"proof", true}});
  EXPECT_EQ(other.status, 202u);
  EXPECT_NE(other.id(), own.id());
  EXPECT_EQ(proofs_.size(), 2u);
  EXPECT_EQ(renew(other.id(), {{"nonce", nonce}}).status, 403u);
  EXPECT_EQ(renew(own.id(), {{"nonce", nonce}}).body["state"], "active");
}

TEST_F(RestTest, address_and_port_are_one_client_whoever_asks_and_however_often) {
  const std::string id = join({{"udp_port", 6000}}).id();
  EXPECT_EQ(join({{"udp_port", 6000}}).id(), id);
  come_from("10.9.0.8");
  const json same{{"udp_port", 6000}, {"address", "10.9.0.7"}};
  EXPECT_EQ(join(same).status, 403u);
  json proved = same;
  proved["proof"] = true;
  const Reply asked = join(proved);
  ASSERT_EQ(asked.status, 202u);
  EXPECT_EQ(renew(asked.id(), {{"nonce", last_nonce()}}).id(), id) << "the one that is there";
  EXPECT_EQ(runtime_.joined.size(), 1u);
  EXPECT_EQ(clients_.size(), 1u);
}

TEST_F(RestTest, what_is_brought_back_after_leaving_joins_nobody) {
  const Reply asked = join({{"udp_port", 6000}, {"proof", true}});
  const std::string nonce = last_nonce();
  EXPECT_EQ(renew(asked.id(), {{"nonce", nonce}}).status, 200u);
  EXPECT_EQ(ask("DELETE", std::string(kNews) + "/" + asked.id()).status, 204u);
  EXPECT_EQ(renew(asked.id(), {{"nonce", nonce}}).status, 404u);
  EXPECT_EQ(ask("DELETE", std::string(kNews) + "/" + asked.id()).status, 404u);
  EXPECT_EQ(renew(asked.id()).status, 404u);
  EXPECT_EQ(runtime_.joined.size(), 1u);
  EXPECT_EQ(runtime_.left.size(), 1u);
  EXPECT_EQ(clients_.size(), 0u);
}

// Of who asks for an address that is not his own: at most three times his own bytes come there.
TEST_F(RestTest, proofs_are_no_amplifier) {
  const std::string body = R"({"udp_port":1,"address":"10.9.9.9","proof":true})";
  ASSERT_EQ(ask("POST", kNews, body).status, 202u);
  for (unsigned i = 0; i < 200; ++i) {
    now_ = now_ + std::chrono::milliseconds(100);
    door_->turn();
  }
  constexpr std::size_t kIpUdp = 28;
  std::size_t sent = 0;
  for (const auto& [to, payload] : proofs_) sent += kIpUdp + payload.size();
  constexpr std::size_t kIpTcp = 40;
  const std::string request = std::string("POST ") + kNews + " HTTP/1.1\r\nHost: a\r\n" +
                              "Content-Length: 48\r\n\r\n" + body;
  const std::size_t asked = 3 * kIpTcp + request.size();  // SYN, ACK, and the request
  EXPECT_GT(sent, 0u);
  EXPECT_LE(sent, 3 * asked);
}

TEST_F(RestTest, client_has_several_streams_under_one_id) {
  const Reply first = join({{"udp_port", 6000}, {"proof", true}});
  const std::string id = renew(first.id(), {{"nonce", last_nonce()}}).id();
  const Reply second =
      join({{"udp_port", 6001}, {"proof", true}, {"client", id}}, "/v1/streams/news2.far/clients");
  ASSERT_EQ(second.status, 202u) << second.body;
  EXPECT_EQ(ask("PUT", second.headers.at("Location"), json{{"nonce", last_nonce()}}.dump()).status,
            200u);
  const Reply groups = ask("GET", "/v1/clients/" + id);
  ASSERT_EQ(groups.body["groups"].size(), 2u);
  EXPECT_EQ(join({{"udp_port", 7000}, {"proof", true}, {"client", id}}).status, 409u);
  EXPECT_EQ(counters_.conflict, 1u);
  const std::string nobody(32, 'a');
  EXPECT_EQ(join({{"udp_port", 7000}, {"proof", true}, {"client", nobody}}).status, 404u);
  EXPECT_EQ(ask("GET", "/v1/clients/" + nobody).status, 404u);
}

TEST_F(RestTest, loopback_places_clients_and_sees_them_page_by_page) {
  come_from("127.0.0.1");
  for (unsigned n = 1; n <= 25; ++n) {
    const std::string address = "10.9.1." + std::to_string(n);
    EXPECT_EQ(join({{"udp_port", 6000}, {"address", address}}).status, 201u);
  }
  std::vector<std::string> seen;
  std::string after;
  while (true) {
    const Reply page =
        ask("GET", std::string(kNews) + "?limit=10" + (after.empty() ? "" : "&after=" + after));
    ASSERT_EQ(page.status, 200u);
    for (const json& client : page.body["clients"]) seen.push_back(client["address"]);
    if (!page.body["more"]) break;
    after = page.body["next"];
  }
  ASSERT_EQ(seen.size(), 25u);
  EXPECT_EQ(seen[9], "10.9.1.10");
  EXPECT_EQ(seen[24], "10.9.1.25");
  EXPECT_EQ(ask("GET", "/v1/streams/none/clients").status, 404u);
}

TEST_F(RestTest, pages_go_on_though_clients_leave_between_them) {
  come_from("127.0.0.1");
  std::vector<std::string> ids;
  for (unsigned n = 1; n <= 9; ++n) {
    const std::string address = "10.9.1." + std::to_string(n);
    ids.push_back(join({{"udp_port", 6000}, {"address", address}}).id());
  }
  const std::string first = std::string(kNews) + "?limit=4";
  const Reply page = ask("GET", first);
  EXPECT_EQ(page.body["next"], "news1,homes,10.9.1.4,6000");
  EXPECT_EQ(ask("DELETE", std::string(kNews) + "/" + ids[3]).status, 204u);
  const std::string next = page.body["next"];
  const Reply second = ask("GET", first + "&after=" + next);
  ASSERT_EQ(second.body["clients"].size(), 4u);
  EXPECT_EQ(second.body["clients"][0]["address"], "10.9.1.5");
  EXPECT_EQ(ask("GET", first + "&after=" + ids[7]).body["clients"][0]["address"], "10.9.1.9");
  EXPECT_FALSE(ask("GET", first + "&after=" + ids[7]).body.contains("next"));
  EXPECT_EQ(ask("GET", first + "&after=" + ids[3]).status, 404u) << "its id says nothing any more";
  EXPECT_EQ(ask("GET", first + "&after=news1,homes,10.9.1.4").status, 404u);
}

TEST_F(RestTest, pages_of_a_client_of_two_outputs_come_to_an_end) {
  come_from("127.0.0.1");
  const std::string both = "/v1/streams/news2/clients";
  const std::string id =
      join({{"udp_port", 6000}, {"address", "10.9.1.1"}}, "/v1/streams/news2.homes/clients").id();
  EXPECT_EQ(join({{"udp_port", 6000}, {"address", "10.9.1.1"}, {"client", id}},
                 "/v1/streams/news2.far/clients")
                .status,
            201u);
  const Reply page = ask("GET", both + "?limit=1");
  EXPECT_EQ(page.body["clients"][0]["output"], "far");
  const std::string next = page.body["next"];
  const Reply last = ask("GET", both + "?limit=1&after=" + next);
  EXPECT_EQ(last.body["clients"][0]["output"], "homes");
  EXPECT_EQ(last.body["more"], false);
}

TEST_F(RestTest, another_appliance_is_named_where_it_is_to_serve) {
  redirect_ = [](const std::string& stream, const IpAddress&) {
    return std::optional("https://relay2.example/v1/streams/" + stream + "/clients");
  };
  open();
  const Reply reply = join({{"udp_port", 6000}});
  EXPECT_EQ(reply.status, 307u);
  EXPECT_EQ(reply.headers.at("Location"), "https://relay2.example/v1/streams/news1/clients");
  EXPECT_TRUE(runtime_.joined.empty());
}

TEST_F(RestTest, streams_are_listed_with_their_outputs) {
  join({{"udp_port", 6000}});
  const json streams = ask("GET", "/v1/streams").body["streams"];
  ASSERT_EQ(streams.size(), 2u);
  EXPECT_EQ(streams[0]["name"], "news1");
  EXPECT_EQ(streams[0]["outputs"][0]["clients"], 1);
  EXPECT_EQ(streams[0]["outputs"][0]["max_clients"], 1000);
  EXPECT_EQ(streams[0]["max_skew_ms"], 10);
  EXPECT_EQ(streams[1]["outputs"].size(), 2u);
}

}  // namespace
}  // namespace castgate
