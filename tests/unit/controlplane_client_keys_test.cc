// SPDX-License-Identifier: Apache-2.0
// Keys of clients' own: how they are made, who is told, and when they are others.
#include <fmt/format.h>
#include <set>

#include "controlplane/clients/client_orders.h"
#include "controlplane/keys/client_keys.h"
#include "tests/support/one_key.h"
#include "tests/support/rest_lab.h"

namespace castgate::test {
namespace {

SharedKey key_of(std::size_t length, unsigned seed) {
  std::vector<std::byte> bytes(length);
  for (std::size_t i = 0; i < length; ++i) bytes[i] = static_cast<std::byte>(i * 7 + seed);
  return share_key(bytes);
}

std::string hex(std::span<const std::byte> bytes) {
  std::string text;
  for (const std::byte byte : bytes) text += fmt::format("{:02x}", std::to_integer<unsigned>(byte));
  return text;
}

std::string base64_decoded(const std::string& text) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bits;
  for (const char c : text) {
    if (c == '=') break;
    for (int b = 5; b >= 0; --b) bits += kDigits.find(c) >> b & 1 ? '1' : '0';
  }
  std::string made;
  for (std::size_t at = 0; at + 8 <= bits.size(); at += 8)
    made += fmt::format("{:02x}", std::stoul(bits.substr(at, 8), nullptr, 2));
  return made;
}

ProtectSpec isolated(ProtectProfile profile, unsigned key_bits) {
  ProtectSpec spec;
  spec.profile = profile;
  spec.key_bits = key_bits;
  spec.isolation = Isolation::PerClient;
  spec.keys = one_key(key_of(key_file_bytes(spec), 1));
  return spec;
}

// Made by python's cryptography (tests/support/client_keys.py).
TEST(ClientKeysTest, are_hkdf_of_file_stream_address_port_and_session) {
  const auto first = client_key(isolated(ProtectProfile::SrtpGcm, 128), "news1",
                                Endpoint::parse("10.9.0.7:6000").value(), replay_session(1));
  EXPECT_EQ(hex(first->key.bytes()),
            "e80f8ee061a89786aa6cb33055260d4c"
            "1450f2ac62e5974adc41458f");
  EXPECT_EQ(first->ssrc, 0x68caedc0u);
  EXPECT_EQ(first->spi, 0xbf082044u);
  ClientSession session;
  for (unsigned i = 0; i < 16; ++i) session[i] = static_cast<std::uint8_t>(i);
  const auto other = client_key(isolated(ProtectProfile::SrtpCm, 256), "news1",
                                Endpoint::parse("[2001:db8:9::7]:65535").value(), session);
  EXPECT_EQ(hex(other->key.bytes()),
            "61f6462e9e8a8067846a8a2a9152494eb163990e6433db524b210700bed12a44"
            "73ac10a947f00c435ad9e7306288");
  EXPECT_EQ(other->ssrc, 0x16945504u);
  EXPECT_EQ(other->spi, 0x93867ba6u);
}

TEST(ClientKeysTest, sessions_are_never_the_same) {
  std::set<ClientSession> seen;
  for (unsigned n = 0; n < 1000; ++n) seen.insert(new_client_session());
  EXPECT_EQ(seen.size(), 1000u);
  EXPECT_NE(replay_session(1), replay_session(256));
}

class ClientKeysOfDoorTest : public RestLab {
 protected:
  ClientKeysOfDoorTest() {
    spec_.streams[0].unicasts[0].protect = isolated(ProtectProfile::SrtpGcm, 128);
    private_ = true;
  }
  void expect_last_key(const Reply& reply) const {
    ASSERT_TRUE(reply.body.contains("protect")) << reply.body;
    const json& told = reply.body["protect"];
    const ClientKey& key = *runtime_.keys.back();
    EXPECT_EQ(base64_decoded(told["key"]), hex(key.key.bytes()));
    EXPECT_EQ(told["ssrc"], key.ssrc);
    EXPECT_EQ(told["profile"], "srtp_gcm");
    EXPECT_EQ(told["suite"], "AEAD_AES_128_GCM");
    EXPECT_EQ(told["key_bits"], 128);
    EXPECT_EQ(told["tag_bits"], 128);
  }
};

TEST_F(ClientKeysOfDoorTest, joining_and_renewing_tell_the_key_that_the_data_plane_has) {
  const Reply joined = join({{"udp_port", 6000}});
  ASSERT_EQ(joined.status, 201u) << joined.body;
  expect_last_key(joined);
  EXPECT_EQ(joined.body["protect"]["roc"], 0);
  runtime_.count_client = [](const ClientPlace&) { return ClientCounters{.sealed = 3u << 16}; };
  const Reply renewed = renew(joined.id());
  expect_last_key(renewed);
  EXPECT_EQ(renewed.body["protect"]["roc"], 3);
  EXPECT_EQ(renewed.body["protect"]["key"], joined.body["protect"]["key"]);
  ASSERT_EQ(ask("DELETE", joined.headers.at("Location")).status, 204u);
  const Reply again = join({{"udp_port", 6000}});
  expect_last_key(again);
  EXPECT_NE(again.body["protect"]["key"], joined.body["protect"]["key"]);
  EXPECT_NE(again.body["protect"]["ssrc"], joined.body["protect"]["ssrc"]);
}

TEST_F(ClientKeysOfDoorTest, a_proved_address_gets_its_key_with_the_proof) {
  const Reply asked = join({{"udp_port", 6000}, {"proof", true}});
  EXPECT_EQ(asked.status, 202u);
  EXPECT_FALSE(asked.body.contains("protect"));
  EXPECT_EQ(asked.body["isolation"], "per_client");
  const Reply proved = renew(asked.id(), {{"nonce", last_nonce()}});
  EXPECT_EQ(proved.status, 200u);
  expect_last_key(proved);
}

TEST_F(ClientKeysOfDoorTest, nobody_is_told_where_others_may_listen) {
  private_ = false;
  const Reply refused = join({{"udp_port", 6000}});
  EXPECT_EQ(refused.status, 403u);
  EXPECT_NE(refused.body["detail"].get<std::string>().find("doors.rest.tls"), std::string::npos);
  EXPECT_EQ(join({{"udp_port", 6000}, {"proof", true}}).status, 403u);
  EXPECT_TRUE(runtime_.joined.empty());
  EXPECT_EQ(join({{"udp_port", 6000}}, "/v1/streams/news2.homes/clients").status, 201u);
  private_ = true;
  come_from("10.9.0.8");
  const Reply joined = join({{"udp_port", 6000}});
  private_ = false;
  const Reply renewed = renew(joined.id());
  EXPECT_EQ(renewed.status, 200u);
  EXPECT_FALSE(renewed.body.contains("protect"));
}

TEST_F(ClientKeysOfDoorTest, what_anybody_may_look_at_has_no_key) {
  const Reply joined = join({{"udp_port", 6000}});
  const std::string key = joined.body["protect"]["key"];
  const std::string id = joined.id();
  peer_ = IpAddress::parse("127.0.0.1").value();
  std::string told = ask("GET", joined.headers.at("Location")).body.dump();
  told += ask("GET", kNews).body.dump() + ask("GET", "/v1/clients/" + id).body.dump();
  told += *answer_client_order(R"({"show": "clients"})", clients_, now_);
  EXPECT_NE(told.find(id), std::string::npos);
  EXPECT_EQ(told.find(key), std::string::npos);
  EXPECT_EQ(told.find("protect"), std::string::npos);
}

TEST_F(ClientKeysOfDoorTest, the_control_socket_joins_nobody_whom_it_could_not_tell) {
  const auto reply = answer_client_order(
      R"({"join": {"stream": "news1", "client": "10.9.0.7:6000"}})", clients_, now_);
  EXPECT_NE(reply->find("doors.rest"), std::string::npos) << *reply;
  EXPECT_TRUE(runtime_.joined.empty());
}

TEST_F(ClientKeysOfDoorTest, after_a_restart_and_a_new_key_file_the_next_renewal_tells_another) {
  const Reply joined = join({{"udp_port", 6000}});
  const auto first = runtime_.keys.back();
  const JoinOrder order{.output = "news1.homes",
                        .client = Endpoint::parse("10.9.0.7:6000").value(),
                        .id = ClientId::parse(joined.id()),
                        .door = "rest",
                        .lease = std::chrono::seconds(60)};
  ASSERT_EQ(ask("DELETE", joined.headers.at("Location")).status, 204u);
  ASSERT_TRUE(clients_.restore(order, std::chrono::seconds(30), now_));
  EXPECT_FALSE(runtime_.keys.back()->key == first->key);
  expect_last_key(renew(joined.id()));

  const Spec before = spec_;
  spec_.streams[0].unicasts[0].protect.keys = one_key(key_of(28, 9));
  EXPECT_EQ(clients_.follow(before), 0u);
  EXPECT_EQ(runtime_.keys.size(), 3u);
  expect_last_key(renew(joined.id()));
}

}  // namespace
}  // namespace castgate::test
