// SPDX-License-Identifier: Apache-2.0
// outputs.X.protect with the profiles of ESP.
#include <gtest/gtest.h>

#include "tests/support/yaml_file.h"

namespace castgate {
namespace {

using test::errors_of;
using test::YamlFile;

const std::string kTunnel = "profile: esp_tunnel, spi: 0x1000, key_file: a.key";
const std::string kInner = ", inner: {to: 239.1.0.1:5000, source: 10.1.0.5}";

// Protected group `main`, and further outputs.
YamlFile file(const std::string& protect, const std::string& more = "") {
  YamlFile made;
  made.outputs =
      "main: {port: out, to: 239.9.0.1:5000, source: 10.0.0.9, protect: {" + protect + "}}" + more;
  return made;
}

std::string complaint(const std::string& protect, const std::string& more = "") {
  return errors_of(file(protect, more));
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

const OutputSpec& first_of(const Reading& reading) {
  return reading.spec.streams.at(0).outputs.at(0);
}

TEST(EspKeys, every_key_is_read_and_the_rest_has_its_default) {
  YamlFile from_leg = file(kTunnel);
  from_leg.legs = "A: {port: red, from: 10.1.0.5, to: 239.1.0.1:5000}";
  const Reading some = read_spec_text(from_leg.text(), "f");
  EXPECT_EQ(test::joined(some.errors), "");
  const ProtectSpec& plain = first_of(some).protect;
  EXPECT_EQ(plain.profile, ProtectProfile::EspTunnel);
  EXPECT_EQ(plain.spi, 0x1000u);
  EXPECT_TRUE(plain.esn);
  EXPECT_TRUE(first_of(some).raw_esp);
  EXPECT_EQ(plain.inner.to.to_string(), some.spec.streams.at(0).legs.at(0).to.to_string());
  EXPECT_EQ(plain.inner.source.to_string(), "10.1.0.5");
  EXPECT_EQ(plain.inner.source_port, plain.inner.to.udp_port);
  const Reading all = read_spec_text(
      file("profile: esp_tunnel, key_bits: 256, spi: 4294967295, esn: false, key_file: /k, "
           "udp_encapsulation: true, inner: {to: \"[ff3e::1]:5\", source: \"fd00::1\", "
           "source_port: 6}")
          .text(),
      "f");
  EXPECT_EQ(test::joined(all.errors), "");
  const ProtectSpec& protect = first_of(all).protect;
  EXPECT_EQ(protect.spi, 0xffffffffu);
  EXPECT_FALSE(protect.esn);
  EXPECT_FALSE(first_of(all).raw_esp);
  EXPECT_EQ(protect.inner.to.to_string(), "[ff3e::1]:5");
  EXPECT_EQ(protect.inner.source.to_string(), "fd00::1");
  EXPECT_EQ(protect.inner.source_port, 6u);
  EXPECT_EQ(key_file_bytes(protect), 36u);
}

TEST(EspKeys, profiles_of_groups_have_the_outputs_own_addresses_inside) {
  for (const std::string profile : {"esp_tunnel_preserve", "esp_transport"}) {
    YamlFile wanted;
    wanted.outputs =
        "main: {port: out, to: 239.9.0.1:5000, source: 10.0.0.9, source_port: 7, "
        "ttl: 3, protect: {profile: " +
        profile + ", spi: 256, key_file: a}}";
    const Reading reading = read_spec_text(wanted.text(), "f");
    EXPECT_EQ(test::joined(reading.errors), "");
    const InnerHeaders& inner = first_of(reading).protect.inner;
    EXPECT_EQ(inner.to.to_string(), "239.9.0.1:5000");
    EXPECT_EQ(inner.source.to_string(), "10.0.0.9");
    EXPECT_EQ(inner.source_port, 7u);
    EXPECT_EQ(inner.ttl, 3u);
  }
}

TEST(EspKeys, a_group_and_clients_of_one_key_are_one_rendition) {
  const std::string protect = "protect: {" + kTunnel + kInner + "}";
  const Reading reading = read_spec_text(
      file(kTunnel + kInner, ", homes: {port: out, unicast: {}, " + protect +
                                 "}, nat: {port: out, to: 239.9.0.2:4500, source: 10.0.0.9, "
                                 "protect: {udp_encapsulation: true, " +
                                 kTunnel + kInner + "}}")
          .text(),
      "f");
  EXPECT_EQ(test::joined(reading.errors), "");
  EXPECT_EQ(renditions_of(reading.spec.streams.at(0)).size(), 1u);
}

TEST(EspRules, an_spi_is_one_keys_and_not_reserved) {
  EXPECT_TRUE(has(complaint("profile: esp_transport, key_file: a"), "spi is missing"));
  EXPECT_TRUE(has(complaint("profile: esp_transport, spi: 255, key_file: a"), "255"));
  EXPECT_EQ(complaint("profile: esp_transport, spi: 256, key_file: a"), "");
  const std::string other =
      ", b: {port: out, to: 239.9.0.2:5000, source: 10.0.0.9, protect: "
      "{profile: esp_transport, spi: 4096, key_file: b.key}}";
  EXPECT_TRUE(has(complaint(kTunnel + kInner, other), "0x1000 is that of a.key already"));
}

TEST(EspRules, the_packet_inside_needs_addresses_of_one_family) {
  EXPECT_TRUE(has(complaint(kTunnel), "inner.source is missing"));
  EXPECT_TRUE(has(complaint(kTunnel + ", inner: {source: \"fd00::1\"}"), "not of one family"));
  EXPECT_EQ(complaint(kTunnel + ", inner: {source: 10.1.0.5}"), "");
}

TEST(EspRules, keys_of_another_profile_have_no_effect) {
  const std::string transport = "profile: esp_transport, spi: 256, key_file: a";
  EXPECT_TRUE(has(complaint(transport + ", inner: {source_port: 7}"), "inner.source_port"));
  EXPECT_TRUE(has(complaint(transport + ", tag_bits: 80"), "tag_bits"));
  for (const std::string key : {"spi: 256", "esn: true", "udp_encapsulation: false"}) {
    EXPECT_TRUE(
        has(complaint("profile: srtp_gcm, key_file: a, " + key), key.substr(0, key.find(':'))));
  }
}

TEST(EspRules, clients_are_reached_by_tunnels_in_udp_alone) {
  const auto clients = [](const std::string& protect) {
    YamlFile made;
    made.outputs = "homes: {port: out, unicast: {}, protect: {" + protect + "}}";
    return errors_of(made);
  };
  EXPECT_EQ(clients(kTunnel + kInner), "");
  EXPECT_TRUE(has(clients(kTunnel + kInner + ", udp_encapsulation: false"), "by UDP alone"));
  EXPECT_TRUE(has(clients("profile: esp_transport, spi: 256, key_file: a"), "for groups alone"));
}

TEST(EspRules, what_would_not_pass_the_mtu_once_sealed_is_refused) {
  // 20 outside, 16 of SPI to IV, 28 inside, the payload, padding to 4 with 2 of trailer, 16 of ICV.
  YamlFile wanted = file(kTunnel + kInner);
  wanted.stream = "max_payload: 1418,";
  EXPECT_EQ(errors_of(wanted), "");
  wanted.stream = "max_payload: 1419,";
  EXPECT_TRUE(has(errors_of(wanted), "become IP packets of 1504"));
  wanted = file(kTunnel + kInner + ", udp_encapsulation: true");
  wanted.stream = "max_payload: 1410,";
  EXPECT_EQ(errors_of(wanted), "");
  wanted.stream = "max_payload: 1411,";
  EXPECT_TRUE(has(errors_of(wanted), "become IP packets of 1504"));
}

}  // namespace
}  // namespace castgate
