// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <nlohmann/json.hpp>

#include <gtest/gtest.h>

#include "controlplane/node/relay_answers.h"

namespace castgate {
namespace {

using nlohmann::json;

constexpr const char* kId = "0123456789abcdef0123456789ABCDEF";

json client() {
  return {{"id", kId},
          {"stream", "news1"},
          {"output", "homes"},
          {"address", "10.9.0.7"},
          {"udp_port", 6000},
          {"source", {{"address", "10.0.0.9"}, {"udp_port", 5000}}},
          {"sequence", "rtp"},
          {"state", "unproved"},
          {"lease_s", 60.0},
          {"expires_in_s", 59.2},
          {"packets", 0},
          {"bytes", 0},
          {"drops", {{"tx_full", 0}}}};
}

json with(const char* name, const json& value) {
  json changed = client();
  changed[name] = value;
  return changed;
}

TEST(RelayAnswer, a_client_with_a_key_of_its_own_lacks_it_until_it_is_told) {
  json told = client();
  EXPECT_FALSE(parse_relay_client(told.dump()).value().lacks_key());
  told["isolation"] = "per_client";
  EXPECT_TRUE(parse_relay_client(told.dump()).value().lacks_key());
  told["protect"] = {{"profile", "srtp_gcm"},
                     {"key_bits", 128},
                     {"tag_bits", 128},
                     {"suite", "AEAD_AES_128_GCM"},
                     {"ssrc", 7},
                     {"roc", 0},
                     {"key", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGw=="}};
  EXPECT_FALSE(parse_relay_client(told.dump()).value().lacks_key());
}

TEST(RelayAnswer, a_client_is_read_as_the_door_writes_it) {
  const auto read = parse_relay_client(client().dump());
  ASSERT_TRUE(read) << read.error().text;
  EXPECT_EQ(read->id, kId);
  EXPECT_EQ(read->source.to_string(), "10.0.0.9:5000");
  EXPECT_EQ(read->sequence, SequenceFormat::Rtp);
  EXPECT_FALSE(read->active);
  EXPECT_EQ(read->lease.count(), 60);
  EXPECT_TRUE(parse_relay_client(with("state", "active").dump())->active);
}

TEST(RelayAnswer, every_format_is_known_by_its_name) {
  for (const char* name :
       {"rtp", "rtp_extended", "moldudp64", "cme_mdp3", "iex_tp", "generic", "fingerprint"}) {
    const auto read = parse_relay_client(with("sequence", name).dump());
    ASSERT_TRUE(read) << name;
    EXPECT_EQ(sequence_name(read->sequence), name);
  }
}

TEST(RelayAnswer, what_lacks_something_or_lies_outside_is_refused) {
  const json bad[] = {
      with("id", 5),
      with("id", "0123"),
      with("id", "../../../../etc/passwd/aaaaaaaaa"),
      with("source", {{"address", "10.0.0.9"}}),
      with("source", {{"address", "239.0.0.1"}, {"udp_port", 5000}}),
      with("source", {{"address", "0.0.0.0"}, {"udp_port", 5000}}),
      with("source", {{"address", "10.0.0.9"}, {"udp_port", 65536}}),
      with("source", {{"address", "10.0.0.9"}, {"udp_port", 0}}),
      with("source", {{"address", "10.0.0.9"}, {"udp_port", -1}}),
      with("source", "10.0.0.9:5000"),
      with("sequence", "sctp"),
      with("state", "asleep"),
      with("lease_s", 0),
      with("lease_s", 1e9),
      with("lease_s", "60"),
      with("lease_s", nullptr),
      json::array({client()}),
      json(nullptr),
  };
  for (const json& text : bad) EXPECT_FALSE(parse_relay_client(text.dump())) << text.dump();
  for (const char* text : {"", "{", "<html>", "[[[[", "{\"id\":\"\xff\"}"}) {
    EXPECT_FALSE(parse_relay_client(text)) << text;
  }
}

TEST(RelayAnswer, size_and_depth_have_a_limit) {
  EXPECT_FALSE(parse_relay_client(client().dump() + std::string(70'000, ' ')));
  EXPECT_FALSE(parse_relay_client(std::string(60'000, '[')));
}

TEST(RelayAnswer, a_problem_is_one_clean_line) {
  const json problem{
      {"title", "Not Found"}, {"status", 404}, {"detail", "there is no\nsuch \x1b[2J"}};
  EXPECT_EQ(parse_problem(404, problem.dump()), "there is no?such ?[2J (404)");
  EXPECT_EQ(parse_problem(503, R"({"title":"Full"})"), "Full (503)");
  EXPECT_EQ(parse_problem(500, "<html>"), "HTTP status 500");
  EXPECT_EQ(parse_problem(500, R"({"detail":7})"), "HTTP status 500");
  const std::string lengthy = json{{"detail", std::string(9'000, 'x')}}.dump();
  EXPECT_LT(parse_problem(500, lengthy).size(), 250);
  EXPECT_EQ(parse_problem(500, std::string(70'000, 'x')), "HTTP status 500");
}

std::optional<std::string> proof(const std::string& text) {
  return parse_proof(std::as_bytes(std::span(text)));
}

TEST(RelayProof, the_nonce_is_what_the_datagram_bears) {
  EXPECT_EQ(proof(std::string("castgate-proof/1 ") + kId + "\n"), kId);
}

TEST(RelayProof, whatever_differs_by_a_byte_is_none) {
  const std::string good = std::string("castgate-proof/1 ") + kId + "\n";
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string changed = good;
    changed[at] = '~';
    EXPECT_FALSE(proof(changed)) << at;
    EXPECT_FALSE(proof(good.substr(0, at))) << at;
  }
  EXPECT_FALSE(proof(good + "\n"));
  EXPECT_FALSE(proof(std::string("castgate-proof/2 ") + kId + "\n"));
}

}  // namespace
}  // namespace castgate
