// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "controlplane/node/relay_url.h"

namespace castgate {
namespace {

TEST(RelayUrl, a_url_names_the_place_of_a_streams_clients) {
  const auto place = parse_relay_url("rest://10.0.0.1:9000/news1");
  ASSERT_TRUE(place);
  EXPECT_FALSE(place->tls);
  EXPECT_EQ(place->host, "10.0.0.1");
  EXPECT_EQ(place->port, 9000);
  EXPECT_EQ(place->path, "/v1/streams/news1/clients");
  EXPECT_EQ(place->authority(), "10.0.0.1:9000");
}

TEST(RelayUrl, ports_have_defaults_and_tls_one_of_its_own) {
  EXPECT_EQ(parse_relay_url("rest://relay.example/news1.homes")->port, 8080);
  const auto tls = parse_relay_url("rests://relay.example/news1.homes");
  EXPECT_EQ(tls->port, 8443);
  EXPECT_TRUE(tls->tls);
  EXPECT_EQ(tls->path, "/v1/streams/news1.homes/clients");
}

TEST(RelayUrl, an_address_of_ipv6_stands_in_brackets) {
  const auto place = parse_relay_url("rests://[2001:db8::1]:1/x");
  ASSERT_TRUE(place);
  EXPECT_EQ(place->host, "2001:db8::1");
  EXPECT_EQ(place->to_string(), "https://[2001:db8::1]:1/v1/streams/x/clients");
}

TEST(RelayUrl, what_is_no_relays_url_is_refused) {
  for (const char* text : {"",
                           "rest",
                           "rest:/a/b",
                           "http://a/b",
                           "REST://a/b",
                           "rest://a",
                           "rest://a/",
                           "rest:///b",
                           "rest://a/b/c",
                           "rest://a/..",
                           "rest://a/b?c",
                           "rest://a/b c",
                           "rest://u@a/b",
                           "rest://a:0/b",
                           "rest://a:65536/b",
                           "rest://a:/b",
                           "rest://a:1x/b",
                           "rest://[::1/b",
                           "rest://[::1]x/b",
                           "rest://[1.2.3.4]/b",
                           "rest://[]/b",
                           "rest://a\r\nb/c"}) {
    EXPECT_FALSE(parse_relay_url(text)) << text;
  }
  EXPECT_FALSE(parse_relay_url("rest://a/" + std::string(129, 'a')));
  EXPECT_FALSE(parse_relay_url("rest://" + std::string(254, 'a') + "/b"));
  EXPECT_FALSE(parse_relay_url("rest://a/" + std::string(5000, 'a')));
}

TEST(RelayUrl, this_very_machine_is_known_by_its_addresses) {
  for (const char* text :
       {"rest://127.0.0.1/s", "rest://127.9.9.9/s", "rest://[::1]/s", "rest://localhost/s"}) {
    EXPECT_TRUE(parse_relay_url(text)->is_loopback()) << text;
  }
  for (const char* text : {"rest://10.0.0.1/s", "rest://localhost.evil.example/s",
                           "rest://127.0.0.1.example/s", "rest://[2001:db8::1]/s"}) {
    EXPECT_FALSE(parse_relay_url(text)->is_loopback()) << text;
  }
}

class Location : public testing::Test {
 protected:
  HttpPlace plain_ = *parse_relay_url("rest://a.example/news1");
  HttpPlace tls_ = *parse_relay_url("rests://a.example/news1");
};

TEST_F(Location, a_path_stays_at_the_host) {
  const auto place = parse_location("/v1/streams/other/clients", tls_);
  ASSERT_TRUE(place);
  EXPECT_EQ(place->to_string(), "https://a.example:8443/v1/streams/other/clients");
}

TEST_F(Location, another_host_has_its_own_port) {
  EXPECT_EQ(parse_location("http://b.example/p", plain_)->to_string(), "http://b.example:80/p");
  EXPECT_EQ(parse_location("https://[::1]/p?q=1", plain_)->to_string(), "https://[::1]:443/p?q=1");
  EXPECT_EQ(parse_location("http://b:8080/p", plain_)->to_string(), "http://b:8080/p");
}

TEST_F(Location, tls_is_never_left) {
  EXPECT_FALSE(parse_location("http://a.example/p", tls_));
  EXPECT_TRUE(parse_location("https://b.example/p", tls_));
}

TEST_F(Location, what_would_break_a_request_is_refused) {
  for (const char* text : {"", "p", "ftp://a/p", "//b/p", "http://", "http://a", "http:///p",
                           "http://a/p\r\nX: y", "http://a/p q", "http://u:p@a/p", "/p#x"}) {
    EXPECT_FALSE(parse_location(text, plain_)) << text;
  }
  EXPECT_FALSE(parse_location("/" + std::string(3000, 'a'), plain_));
  const std::string hidden("http://[::1\0x]/p", 17);
  EXPECT_FALSE(parse_location(hidden, plain_)) << "what ends a text for others";
}

}  // namespace
}  // namespace castgate
