// SPDX-License-Identifier: Apache-2.0
// legs.A.open: what is read, and what does not go together.
#include <gtest/gtest.h>

#include "tests/support/yaml_file.h"

namespace castgate {
namespace {

using test::errors_of;
using test::YamlFile;

YamlFile file(const std::string& open, const std::string& stream = "") {
  YamlFile made;
  made.legs = "A: {port: red, to: 239.1.0.1:5000, open: " + open + "}";
  made.stream = stream;
  return made;
}

bool told(const YamlFile& wanted, const std::string& what) {
  return errors_of(wanted).find(what) != std::string::npos;
}

TEST(OpenKeys, every_key_is_read_and_the_rest_has_its_default) {
  const Reading some = read_spec_text(file("{profile: srtp_gcm, key_file: a.key}").text(), "f");
  EXPECT_EQ(test::joined(some.errors), "");
  const OpenSpec& plain = some.spec.streams.at(0).legs.at(0).open;
  EXPECT_EQ(plain.profile, OpenProfile::SrtpGcm);
  EXPECT_EQ(plain.key_bits, 128u);
  EXPECT_EQ(plain.replay_window, 1'024u);
  EXPECT_EQ(plain.roc, 0u);
  EXPECT_EQ(key_file_bytes(plain), 28u);
  EXPECT_TRUE(is_opened(some.spec.streams.at(0)));
  const Reading all = read_spec_text(file("{profile: srtp_cm, key_bits: 256, tag_bits: 32, "
                                          "mki_bytes: 3, "
                                          "replay_window: 64, roc: 5, key_file: /k}")
                                         .text(),
                                     "f");
  EXPECT_EQ(test::joined(all.errors), "");
  const OpenSpec& open = all.spec.streams.at(0).legs.at(0).open;
  EXPECT_EQ(open.profile, OpenProfile::SrtpCm);
  EXPECT_EQ(open.key_bits, 256u);
  EXPECT_EQ(open.tag_bits, 32u);
  EXPECT_EQ(open.mki_bytes, 3u);
  EXPECT_EQ(open.replay_window, 64u);
  EXPECT_EQ(open.roc, 5u);
  EXPECT_EQ(open.key_file, "/k");
  EXPECT_EQ(key_file_bytes(open), 46u);
}

TEST(OpenRules, values_that_are_none_are_told) {
  EXPECT_TRUE(told(file("{key_file: a}"), "profile"));
  EXPECT_TRUE(told(file("{profile: srtp_gcm}"), "key_file"));
  EXPECT_TRUE(told(file("{profile: rot13, key_file: a}"), "srtp_gcm, srtp_cm"));
  EXPECT_TRUE(told(file("{profile: srtp_cm, key_bits: 192, key_file: a}"), "192: 128 or 256"));
  EXPECT_TRUE(told(file("{profile: srtp_cm, tag_bits: 64, key_file: a}"), "64: 80 or 32"));
  EXPECT_TRUE(told(file("{profile: srtp_gcm, tag_bits: 80, key_file: a}"), "has no effect"));
  EXPECT_TRUE(told(file("{profile: srtp_gcm, replay_window: 63, key_file: a}"), "64 to 32768"));
}

TEST(OpenRules, what_srtp_carries_is_rtp) {
  const std::string open = "{profile: srtp_gcm, key_file: a}";
  EXPECT_TRUE(told(file(open, "sequence: moldudp64,"), "what SRTP carries is RTP"));
  EXPECT_TRUE(told(file(open, "sequence: cme_mdp3,"), "what SRTP carries is RTP"));
  EXPECT_TRUE(told(file(open, "sequence: fingerprint, restamp: {rtp: insert},"),
                   "restamp.rtp: insert would add another"));
  EXPECT_EQ(errors_of(file(open, "sequence: rtp_extended,")), "");
  EXPECT_EQ(errors_of(file(open, "sequence: fingerprint,")), "");
}

TEST(OpenKeys, of_esp_what_is_inside_is_told_or_the_legs_own) {
  const auto open_of = [](const std::string& open, const std::string& from = "") {
    YamlFile made;
    made.legs = "A: {port: red, " + from + "to: 239.1.0.1:5000, open: " + open + "}";
    const Reading reading = read_spec_text(made.text(), "f");
    EXPECT_EQ(test::joined(reading.errors), "");
    return reading.spec.streams.at(0).legs.at(0).open;
  };
  const OpenSpec plain =
      open_of("{profile: esp_tunnel, spi: 256, key_file: a, inner: {to: \"[ff3e::1]:5\"}}");
  EXPECT_EQ(plain.profile, OpenProfile::EspTunnel);
  EXPECT_EQ(plain.spi, 256u);
  EXPECT_TRUE(plain.esn);
  EXPECT_TRUE(plain.is_raw_esp());
  EXPECT_EQ(plain.inner.to.to_string(), "[ff3e::1]:5");
  EXPECT_FALSE(plain.inner.source.has_value());
  EXPECT_EQ(key_file_bytes(plain), 20u);
  const OpenSpec all = open_of(
      "{profile: esp_tunnel, spi: 0xffffffff, key_bits: 256, esn: false, key_file: a, "
      "udp_encapsulation: true, replay_window: 64, inner: {to: 239.7.0.1:5, source: 10.7.0.5}}");
  EXPECT_EQ(all.spi, 0xffffffffu);
  EXPECT_FALSE(all.esn);
  EXPECT_FALSE(all.is_raw_esp());
  EXPECT_EQ(all.inner.source, IpAddress::parse("10.7.0.5"));
  EXPECT_EQ(key_file_bytes(all), 36u);
  const OpenSpec preserve =
      open_of("{profile: esp_tunnel_preserve, spi: 256, key_file: a}", "from: 10.1.0.5, ");
  EXPECT_EQ(preserve.inner.to.to_string(), "239.1.0.1:5000");
  EXPECT_EQ(preserve.inner.source, IpAddress::parse("10.1.0.5"));
  const OpenSpec transport = open_of("{profile: esp_transport, spi: 256, key_file: a}");
  EXPECT_EQ(transport.inner.to.to_string(), "239.1.0.1:5000");
}

TEST(OpenRules, esp_needs_an_spi_and_a_tunnel_what_is_inside) {
  const std::string inner = ", inner: {to: 239.7.0.1:5000}";
  const std::string tunnel = "{profile: esp_tunnel, key_file: a";
  EXPECT_EQ(errors_of(file(tunnel + inner + ", spi: 256}")), "");
  EXPECT_TRUE(told(file(tunnel + inner + "}"), "spi is missing"));
  EXPECT_TRUE(told(file(tunnel + inner + ", spi: 255}"), "spi"));
  EXPECT_TRUE(told(file(tunnel + ", spi: 256}"), "inner.to is missing"));
  EXPECT_TRUE(told(file(tunnel + ", spi: 256, inner: {to: 239.7.0.1:5000, source: \"fd00::1\"}}"),
                   "not of one family"));
  EXPECT_EQ(errors_of(file(tunnel + inner + ", spi: 256}", "sequence: moldudp64,")), "");
}

TEST(OpenRules, keys_of_another_profile_have_no_effect) {
  const std::string transport = "{profile: esp_transport, key_file: a, spi: 256, ";
  for (const std::string key :
       {"tag_bits: 80", "roc: 1", "mki_bytes: 1", "inner: {source: 10.7.0.5}"}) {
    EXPECT_TRUE(told(file(transport + key + "}"), key.substr(0, key.find(':')))) << key;
    EXPECT_TRUE(told(file(transport + key + "}"), "has no effect")) << key;
  }
  for (const std::string key :
       {"spi: 256", "esn: true", "udp_encapsulation: false", "inner: {to: 239.7.0.1:5000}"}) {
    EXPECT_TRUE(told(file("{profile: srtp_gcm, key_file: a, " + key + "}"), "that is for ESP"))
        << key;
  }
}

TEST(OpenRules, legs_of_one_destination_are_told_apart_by_their_spi_unless_they_come_in_udp) {
  const auto two = [](const std::string& one, const std::string& other) {
    const auto leg = [](const std::string& more) {
      return "{port: red, to: 239.1.0.1:5000" +
             (more.empty() ? "" : ", open: {profile: esp_transport, key_file: a, " + more + "}") +
             "}";
    };
    YamlFile made;
    made.legs = "A: " + leg(one) + ", B: " + leg(other);
    return errors_of(made);
  };
  EXPECT_EQ(two("spi: 256", "spi: 257"), "");
  EXPECT_EQ(two("spi: 5000", ""), "") << "an SPI is no UDP port";
  EXPECT_EQ(two("esn: true", "esn: false").find("are those of"), std::string::npos)
      << "what they lack is told";
  EXPECT_NE(two("spi: 256", "spi: 256").find("from, address and SPI are those of"),
            std::string::npos);
  EXPECT_NE(two("spi: 256, udp_encapsulation: true", "spi: 257, udp_encapsulation: true")
                .find("to are those of"),
            std::string::npos);
  EXPECT_NE(two("spi: 256, udp_encapsulation: true", "").find("to are those of"),
            std::string::npos);
}

TEST(OpenRules, an_output_of_esp_comes_back_where_a_leg_has_its_spi) {
  YamlFile made;
  made.legs =
      "A: {port: out, to: 239.9.0.1:5000, open: {profile: esp_transport, spi: 256, key_file: a}}";
  const auto sent = [&](const std::string& spi) {
    made.outputs =
        "main: {port: out, to: 239.9.0.1:5001, source: 10.0.0.9, protect: {profile: "
        "esp_transport, key_file: b, spi: " +
        spi + "}}";
    return errors_of(made);
  };
  EXPECT_NE(sent("256").find("would take this output back in"), std::string::npos);
  EXPECT_EQ(sent("257"), "");
}

}  // namespace
}  // namespace castgate
