// SPDX-License-Identifier: Apache-2.0
// The REST door: what it refuses, and by which name it counts that.
#include <fmt/format.h>

#include "tests/support/rest_lab.h"

namespace castgate {
namespace {

using std::chrono::seconds;
using test::json;
using test::kNews;

class RestLimitsTest : public test::RestLab {};

TEST_F(RestLimitsTest, one_address_has_so_many_clients_and_no_more) {
  unsigned places = 0;
  for (unsigned port = 6000; port < 6010; ++port) {
    const Reply asked = join({{"udp_port", port}, {"proof", true}});
    ASSERT_EQ(asked.status, 202u);
    places += renew(asked.id(), {{"nonce", last_nonce()}}).status == 200;
  }
  EXPECT_EQ(places, 3u);
  EXPECT_EQ(counters_.quota, 7u);
  EXPECT_EQ(clients_.size(), 3u);
}

TEST_F(RestLimitsTest, what_no_client_can_be_is_refused_by_name) {
  const auto status = [&](const json& body, const std::string& target = kNews) {
    return join(body, target).status;
  };
  EXPECT_EQ(status({{"udp_port", 6000}, {"address", "192.0.2.1"}, {"proof", true}}), 403u);
  for (const char* address : {"10.9.0.1", "10.9.255.255"}) {
    EXPECT_EQ(status({{"udp_port", 6000}, {"address", address}, {"proof", true}}), 400u) << address;
  }
  EXPECT_EQ(counters_.bad_address, 2u);
  EXPECT_EQ(status({{"udp_port", 6000}}, "/v1/streams/none/clients"), 404u);
  EXPECT_EQ(status({{"udp_port", 6000}}, "/v1/streams/news2/clients"), 404u);  // which of two?
  for (const char* body :
       {"", "7", "[]", "{}", "{\"udp_port\": 0}", "{\"udp_port\": 65536}", "{\"udp_port\": \"6\"}",
        "{\"udp_port\": 6.5}", "{\"udp_port\": -1}", "{\"udp_port\": 6, \"more\": 1}",
        "{\"udp_port\": 6, \"address\": 7}", "{\"udp_port\": 6, \"address\": \"x\"}",
        "{\"udp_port\": 6, \"proof\": 1}", "{\"udp_port\": 6, \"client\": \"x\"}", "\xff\xfe",
        "{\"udp_port\": 6", "[[[[[[[[[[[[[[[["}) {
    EXPECT_EQ(ask("POST", kNews, body).status, 400u) << body;
  }
  EXPECT_EQ(counters_.bad_request, 17u);
  EXPECT_TRUE(proofs_.empty());
  EXPECT_TRUE(runtime_.joined.empty());
  const std::string id = join({{"udp_port", 6000}}).id();
  for (const char* body : {"7", "{\"nonce\": 7}", "{\"nonce\": \"00\"}", "{\"x\": 1}"}) {
    EXPECT_EQ(ask("PUT", std::string(kNews) + "/" + id, body).status, 400u) << body;
  }
}

TEST_F(RestLimitsTest, client_that_opens_ten_thousand_has_as_many_as_its_address_may) {
  for (unsigned port = 10'000; port < 20'000; ++port) {
    now_ = now_ + std::chrono::milliseconds(40);  // as fast as it may ask, twice
    const Reply asked = join({{"udp_port", port}, {"proof", true}});
    ASSERT_EQ(asked.status, 202u) << port;
    const bool has_place = port < 10'003;
    ASSERT_EQ(renew(asked.id(), {{"nonce", last_nonce()}}).status, has_place ? 200u : 429u) << port;
  }
  EXPECT_EQ(counters_.quota, 9'997u);
  EXPECT_EQ(clients_.size(), 3u);
  EXPECT_EQ(runtime_.joined.size(), 3u);
}

TEST_F(RestLimitsTest, addresses_that_are_no_clients_are_refused_whoever_asks) {
  spec_.doors.rest->allow = {IpPrefix::parse("0.0.0.0/0").value(), IpPrefix::parse("::/0").value()};
  open();
  come_from("127.0.0.1");  // may place clients anywhere
  const char* const addresses[] = {
      "239.1.1.1",    "0.0.0.0",   "255.255.255.255", "127.0.0.1", "10.9.0.1", "10.9.0.0",
      "10.9.255.255", "240.0.0.1", "ff0e::1",         "::",        "::1"};
  for (const char* address : addresses) {
    EXPECT_EQ(join({{"udp_port", 6000}, {"address", address}}).status, 400u) << address;
  }
  EXPECT_EQ(counters_.bad_address, std::size(addresses));
  EXPECT_TRUE(runtime_.joined.empty());
}

TEST_F(RestLimitsTest, cut_deep_and_garbled_bodies_are_bad_requests) {
  const std::string whole = R"({"udp_port": 6000, "address": "10.9.0.7", "proof": true})";
  std::vector<std::string> bodies(whole.size());
  for (std::size_t length = 0; length < whole.size(); ++length) {
    bodies[length] = whole.substr(0, length);
  }
  constexpr std::size_t kDeep = 30'000;  // as deep as a body of 64 KiB can be
  const std::string nested = std::string(kDeep, '[') + std::string(kDeep, ']');
  bodies.push_back(nested);
  bodies.push_back(R"({"udp_port": 6000, "address": )" + nested + "}");
  bodies.push_back("{\"udp_port\": 6000, \"address\": \"10.9.0.7\xff\"}");
  bodies.push_back("{\"udp_port\": 6000, \"\xc3\x28\": 1}");
  for (const std::string& body : bodies) {
    ASSERT_EQ(ask("POST", kNews, body).status, 400u) << body.substr(0, 80);
    now_ = now_ + std::chrono::milliseconds(20);
  }
  EXPECT_EQ(counters_.bad_request, bodies.size());
  EXPECT_TRUE(proofs_.empty());
  EXPECT_EQ(ask("POST", kNews, whole).status, 202u);
}

TEST_F(RestLimitsTest, whoever_is_not_known_costs_nothing) {
  open(Tokens::parse("alice 0123456789abcdef\n", "t").value());
  private_ = true;
  constexpr unsigned kTries = 1'000;
  for (unsigned n = 0; n < kTries; ++n) {
    const std::string body = json{{"udp_port", 6000 + n}, {"proof", n % 2 == 0}}.dump();
    ASSERT_EQ(ask("POST", kNews, body, n % 3 == 0 ? "" : "Bearer 0123456789abcdeX").status, 401u);
  }
  EXPECT_EQ(counters_.auth_fail, kTries);
  EXPECT_TRUE(proofs_.empty());
  EXPECT_TRUE(runtime_.joined.empty());
  EXPECT_EQ(clients_.size(), 0u);
}

TEST_F(RestLimitsTest, paths_and_methods_that_are_not_there) {
  const std::string id(32, '0');
  for (const std::string& target :
       {std::string("/"), std::string("/v1"), std::string("/v1/"), std::string("/v2/streams"),
        std::string("/v1/streams/"), std::string("/v1/streams/news1"),
        std::string("/v1/streams//clients"), std::string("/v1/streams/news1/clients/xyz"),
        std::string("/v1/streams/news1/clients?x=1"), std::string("/v1/streams?limit=1"),
        std::string("/v1/streams/news1/clients?limit=0"), "/v1/clients/" + id + "/more",
        std::string("/v1/clients"), std::string("/v1/streams/../clients/")}) {
    EXPECT_EQ(ask("GET", target).status, 404u) << target;
  }
  const auto allowed = [&](const std::string& method, const std::string& target) {
    const Reply reply = ask(method, target);
    EXPECT_EQ(reply.status, 405u) << target;
    return reply.headers.at("Allow");
  };
  EXPECT_EQ(allowed("POST", "/v1/streams"), "GET");
  EXPECT_EQ(allowed("PUT", kNews), "GET, POST");
  EXPECT_EQ(allowed("POST", std::string(kNews) + "/" + id), "GET, PUT, DELETE");
  EXPECT_EQ(allowed("DELETE", "/v1/clients/" + id), "GET");
  EXPECT_EQ(allowed("PUT", "/v1/openapi.json"), "GET");
  EXPECT_EQ(ask("GET", std::string(kNews) + "/" + id).status, 404u);
}

TEST_F(RestLimitsTest, tokens_are_asked_for_and_admin_may_more) {
  open(Tokens::parse("# who\nalice 0123456789abcdef\nroot fedcba9876543210 admin\n", "t").value());
  private_ = true;
  const std::string alice = "Bearer 0123456789abcdef";
  const std::string root = "bearer fedcba9876543210";
  for (const std::string& wrong :
       {std::string(), std::string("Bearer"), std::string("Bearer "), std::string("Basic abc"),
        std::string("Bearer 0123456789abcdee"), std::string("Bearer 0123456789abcdef0")}) {
    const Reply reply = ask("GET", "/v1/streams", "", wrong);
    EXPECT_EQ(reply.status, 401u) << wrong;
    EXPECT_EQ(reply.headers.at("WWW-Authenticate"), "Bearer");
  }
  EXPECT_EQ(counters_.auth_fail, 6u);
  EXPECT_EQ(ask("GET", "/v1/openapi.json").status, 200u);  // says how to ask, and nothing else
  EXPECT_EQ(ask("GET", "/v1/streams", "", alice).status, 200u);
  EXPECT_EQ(ask("GET", kNews, "", alice).status, 403u);
  const std::string far = json{{"udp_port", 6000}, {"address", "10.9.3.3"}}.dump();
  EXPECT_EQ(ask("POST", kNews, far, alice).status, 403u);
  EXPECT_EQ(ask("POST", kNews, far, root).status, 201u);
  const Reply all = ask("GET", kNews, "", root);
  ASSERT_EQ(all.body["clients"].size(), 1u);
  EXPECT_EQ(all.body["clients"][0]["lease_s"], 60);
  private_ = false;  // in clear, and not on loopback
  EXPECT_EQ(ask("GET", "/v1/streams", "", root).status, 401u);
}

TEST_F(RestLimitsTest, peer_that_asks_too_fast_waits_while_others_do_not) {
  unsigned limited = 0;
  for (unsigned i = 0; i < 150; ++i) limited += join({{"udp_port", 6000}}).status == 429;
  EXPECT_EQ(limited, 50u);
  EXPECT_EQ(counters_.rate, 50u);
  EXPECT_EQ(ask("GET", "/v1/streams").status, 200u);
  come_from("10.9.0.8");
  EXPECT_EQ(join({{"udp_port", 6000}}).status, 201u);
  come_from("10.9.0.7");
  now_ = now_ + seconds(1);
  EXPECT_EQ(join({{"udp_port", 6000}}).status, 200u);
}

TEST_F(RestLimitsTest, no_place_is_told_with_when_to_ask_again) {
  runtime_.commands_full = true;
  const Reply reply = join({{"udp_port", 6000}});
  EXPECT_EQ(reply.status, 503u);
  EXPECT_EQ(reply.headers.at("Retry-After"), "1");
  spec_.appliance.max_clients = 0;
  runtime_.commands_full = false;
  EXPECT_EQ(join({{"udp_port", 6000}}).status, 503u);
  EXPECT_EQ(counters_.no_place, 2u);
}

TEST(Tokens, file_is_refused_by_place_and_never_by_content) {
  const auto error = [](std::string_view text) {
    const auto tokens = Tokens::parse(text, "t");
    return tokens ? std::string() : tokens.error().text;
  };
  EXPECT_EQ(error(""), "t: holds no token");
  EXPECT_EQ(error("# none\n"), "t: holds no token");
  EXPECT_EQ(error("\nalice\n"), "t:2: expected NAME TOKEN, or NAME TOKEN admin");
  EXPECT_EQ(error("alice short\n"),
            "t:1: a token has 16 characters at least: openssl rand -hex 16");
  EXPECT_EQ(error("alice 0123456789abcdef boss\n"),
            "t:1: after the token may stand admin, and nothing else");
  EXPECT_EQ(error("alice 0123456789abcdef admin 7\n"),
            "t:1: after the token may stand admin, and nothing else");
}

TEST_F(RestLimitsTest, so_many_wait_for_their_proofs_and_no_more) {
  spec_.doors.rest->joins_per_second = 100'000;
  open();
  const auto ask_from = [this](std::size_t n) {
    const std::string address = fmt::format("10.9.{}.{}", 16 + n / 250, 1 + n % 250);
    come_from(address.c_str());
    return join({{"udp_port", 6000}, {"proof", true}}).status;
  };
  for (std::size_t n = 0; n < Proofs::kMost; ++n) ASSERT_EQ(ask_from(n), 202u) << n;
  EXPECT_EQ(ask_from(Proofs::kMost), 503u);
  EXPECT_EQ(counters_.no_place, 1u);
  EXPECT_EQ(ask_from(7), 202u);  // who waits may ask again
  now_ = now_ + seconds(11);
  door_->turn();
  EXPECT_EQ(counters_.proofs_expired, Proofs::kMost);
  EXPECT_EQ(ask_from(Proofs::kMost), 202u);
}

}  // namespace
}  // namespace castgate
