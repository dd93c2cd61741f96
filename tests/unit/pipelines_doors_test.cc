// SPDX-License-Identifier: Apache-2.0
// doors: how clients join from outside.
#include <gtest/gtest.h>

#include "pipelines/read_spec.h"

namespace castgate {
namespace {

Reading read(const std::string& rest) {
  return read_spec_text(
      "schema: 1\nports:\n  out: {device: net_null0, addresses: [10.9.0.1/16]}\n"
      "streams:\n  s:\n    legs: {A: {port: out, to: 239.1.0.1:5000}}\n"
      "    outputs: {homes: {port: out, unicast: {}}}\ndoors: {rest: {" +
          rest + "}}\n",
      "f");
}

std::string errors_of(const std::string& rest) {
  std::string text;
  for (const Complaint& error : read(rest).errors) {
    text += (text.empty() ? "" : "\n") + error.key + ": " + error.what;
  }
  return text;
}

TEST(ReadDoors, rest_door_with_everything) {
  const Reading reading = read(
      "listen: '0.0.0.0:8443', tls: {cert: /c.pem, key: /k.pem}, allow: [10.9.0.0/16, "
      "'2001:db8::/32'], tokens: /t, lease: 30s, clients_per_address: 4, joins_per_second: 7");
  ASSERT_TRUE(reading.good()) << reading.errors[0].to_string();
  const auto& rest = reading.spec.doors.rest;
  ASSERT_TRUE(rest);
  EXPECT_EQ(rest->listen.to_string(), "0.0.0.0:8443");
  EXPECT_EQ(rest->tls, (TlsSpec{"/c.pem", "/k.pem"}));
  ASSERT_EQ(rest->allow.size(), 2u);
  EXPECT_EQ(rest->allow[1].to_string(), "2001:db8::/32");
  EXPECT_EQ(rest->tokens, "/t");
  EXPECT_EQ(rest->lease, std::chrono::seconds(30));
  EXPECT_EQ(rest->clients_per_address, 4u);
  EXPECT_EQ(rest->joins_per_second, 7u);
}

TEST(ReadDoors, loopback_needs_nothing_else) {
  const Reading reading = read("listen: '127.0.0.1:8080', tokens: /t");
  ASSERT_TRUE(reading.good()) << reading.errors[0].to_string();
  EXPECT_EQ(reading.spec.doors.rest->lease, std::chrono::seconds(60));
  EXPECT_FALSE(reading.spec.doors.rest->tls);
  EXPECT_TRUE(read("listen: '[::1]:8080'").good());
}

TEST(ReadDoors, what_would_be_open_to_all_is_refused) {
  EXPECT_EQ(errors_of("listen: '10.9.0.1:8080'"),
            "doors.rest: listens beyond loopback: name who may come in allow:, as in allow: "
            "[10.9.0.0/16]");
  EXPECT_EQ(errors_of("listen: '10.9.0.1:8080', allow: [10.9.0.0/16], tokens: /t"),
            "doors.rest.tokens: tokens travel only over TLS or loopback: give tls: {cert, key}, "
            "or listen on 127.0.0.1");
  EXPECT_NE(errors_of("listen: '239.9.0.1:8080', allow: [10.9.0.0/16]").find("is a group"),
            std::string::npos);
  EXPECT_NE(errors_of("allow: [10.9.0.0/16]").find("doors.rest.listen: missing"),
            std::string::npos);
  EXPECT_NE(errors_of("listen: '127.0.0.1:1', tls: {cert: /c}").find("tls.key: missing"),
            std::string::npos);
  EXPECT_NE(errors_of("listen: '127.0.0.1:1', lease: 1s").find("out of range: 5s"),
            std::string::npos);
}

TEST(ReadDoors, metrics_are_for_those_that_are_named) {
  const Reading good = read(
      "listen: '127.0.0.1:1'}, metrics: {listen: '10.9.0.1:9273', "
      "allow: [10.9.0.0/24]");
  ASSERT_TRUE(good.good()) << good.errors[0].to_string();
  ASSERT_TRUE(good.spec.doors.metrics);
  EXPECT_EQ(good.spec.doors.metrics->listen.to_string(), "10.9.0.1:9273");
  EXPECT_EQ(good.spec.doors.metrics->allow[0].to_string(), "10.9.0.0/24");
  EXPECT_EQ(errors_of("listen: '127.0.0.1:1'}, metrics: {listen: '10.9.0.1:9273'"),
            "doors.metrics: listens beyond loopback: name who may come in allow:, as in allow: "
            "[10.9.0.0/16]");
}

TEST(ReadDoors, two_listeners_are_at_two_places) {
  const auto both = [](const std::string& one, const std::string& other) {
    return errors_of("listen: '" + one + "'}, metrics: {listen: '" + other + "'");
  };
  EXPECT_EQ(both("127.0.0.1:1", "127.0.0.1:1"),
            "doors.rest.listen: doors.metrics listens at 127.0.0.1:1 already");
  EXPECT_EQ(both("127.0.0.1:1", "127.0.0.1:2"), "");
  EXPECT_EQ(both("127.0.0.1:1", "127.0.0.2:1"), "");
  EXPECT_NE(both("127.0.0.1:1", "0.0.0.0:1").find("already"), std::string::npos);
  EXPECT_NE(errors_of("listen: 'localhost:1'").find("a TCP port: 127.0.0.1:8080"),
            std::string::npos);
}

TEST(ReadDoors, other_doors_are_told_as_not_yet) {
  const std::string text = "schema: 1\nports: {p: {device: d}}\ndoors: {rtsp: {}}\n";
  const Reading reading = read_spec_text(text, "f");
  ASSERT_FALSE(reading.good());
  EXPECT_NE(reading.errors[0].what.find("not yet: clients that join by RTSP"), std::string::npos)
      << reading.errors[0].what;
}

}  // namespace
}  // namespace castgate
