// SPDX-License-Identifier: Apache-2.0
// outputs.X.protect: what is read, and what does not go together.
#include <gtest/gtest.h>

#include "tests/support/yaml_file.h"

namespace castgate {
namespace {

using test::errors_of;
using test::YamlFile;

const std::string kMain = "main: {port: out, to: 239.9.0.1:5000, source: 10.0.0.9";
const std::string kSrtp = "protect: {profile: srtp_gcm, key_file: a.key}";

YamlFile file(const std::string& protect, const std::string& more = "") {
  YamlFile made;
  made.failover = "continuity: splice";
  made.outputs = kMain + ", " + protect + "}" + more;
  return made;
}

TEST(ProtectKeys, every_key_is_read_and_the_rest_has_its_default) {
  const Reading some = read_spec_text(file(kSrtp).text(), "f");
  EXPECT_EQ(test::joined(some.errors), "");
  const ProtectSpec& plain = some.spec.streams.at(0).outputs.at(0).protect;
  EXPECT_EQ(plain.profile, ProtectProfile::SrtpGcm);
  EXPECT_EQ(plain.key_bits, 128u);
  EXPECT_EQ(plain.key_file, "a.key");
  EXPECT_EQ(plain.max_packets, 0u);
  const Reading all = read_spec_text(file("protect: {profile: srtp_cm, key_bits: 256, tag_bits: 32,"
                                          " max_packets: 9, key_file: /k}")
                                         .text(),
                                     "f");
  EXPECT_EQ(test::joined(all.errors), "");
  const ProtectSpec& protect = all.spec.streams.at(0).outputs.at(0).protect;
  EXPECT_EQ(protect.profile, ProtectProfile::SrtpCm);
  EXPECT_EQ(protect.key_bits, 256u);
  EXPECT_EQ(protect.tag_bits, 32u);
  EXPECT_EQ(protect.max_packets, 9u);
  EXPECT_EQ(key_file_bytes(protect), 46u);
  EXPECT_EQ(srtp_growth(protect), 4u);
}

TEST(ProtectKeys, outputs_that_protect_alike_stand_together_the_clear_ones_first) {
  const std::string sealed = ", source: 10.0.0.9, " + kSrtp + "}";
  YamlFile wanted = file(kSrtp,
                         ", b: {port: out, to: 239.9.0.2:5000, source: 10.0.0.9}, "
                         "c: {port: out, to: 239.9.0.3:5000" +
                             sealed);
  const Reading reading = read_spec_text(wanted.text(), "f");
  EXPECT_EQ(test::joined(reading.errors), "");
  const StreamSpec& stream = reading.spec.streams.at(0);
  std::string names;
  for (const OutputSpec& output : stream.outputs) names += output.name + " ";
  EXPECT_EQ(names, "b main c ");
  const auto renditions = renditions_of(stream);
  ASSERT_EQ(renditions.size(), 2u);
  EXPECT_FALSE(renditions[0].is_on());
}

TEST(ProtectRules, values_that_are_none_are_told) {
  EXPECT_NE(errors_of(file("protect: {key_file: a}")).find("profile"), std::string::npos);
  EXPECT_NE(errors_of(file("protect: {profile: srtp_gcm}")).find("key_file"), std::string::npos);
  EXPECT_NE(errors_of(file("protect: {profile: rot13, key_file: a}")).find("srtp_gcm, srtp_cm"),
            std::string::npos);
  EXPECT_NE(errors_of(file("protect: {profile: srtp_gcm, key_bits: 192, key_file: a}"))
                .find("192: 128 or 256"),
            std::string::npos);
  EXPECT_NE(errors_of(file("protect: {profile: srtp_cm, tag_bits: 64, key_file: a}"))
                .find("64: 80 or 32"),
            std::string::npos);
  EXPECT_NE(errors_of(file("protect: {profile: srtp_gcm, tag_bits: 80, key_file: a}"))
                .find("has no effect"),
            std::string::npos);
}

TEST(ProtectRules, numbers_that_a_restart_repeats_are_refused) {
  YamlFile wanted = file(kSrtp);
  wanted.failover = "";
  EXPECT_NE(errors_of(wanted).find("streams.s.failover.continuity: splice"), std::string::npos);
  wanted.stream = "sequence: moldudp64,";
  EXPECT_NE(errors_of(wanted).find("restamp.rtp: insert"), std::string::npos);
  wanted.stream = "sequence: moldudp64, restamp: {rtp: insert, clock_rate: 90kHz},";
  EXPECT_EQ(errors_of(wanted), "");
  wanted.stream = "restamp: {rtp: strip},";
  EXPECT_NE(errors_of(wanted).find("SRTP needs the RTP header"), std::string::npos);
}

TEST(ProtectRules, one_key_is_one_streams_and_one_profiles) {
  YamlFile wanted = file(kSrtp);
  wanted.more =
      ", t: {legs: {A: {port: red, to: 239.1.0.9:5000}}, failover: {continuity: splice}, outputs: "
      "{m: {port: out, to: 239.9.0.9:5000, source: 10.0.0.9, " +
      kSrtp + "}}}";
  EXPECT_NE(errors_of(wanted).find("a.key is stream s's already"), std::string::npos);
  const std::string other =
      ", b: {port: out, to: 239.9.0.2:5000, source: 10.0.0.9, protect: {profile: srtp_cm, "
      "key_file: a.key}}";
  EXPECT_NE(errors_of(file(kSrtp, other)).find("each needs its own key"), std::string::npos);
}

TEST(ProtectRules, what_would_not_pass_the_mtu_once_sealed_is_refused) {
  YamlFile wanted = file(kSrtp);
  wanted.stream = "max_payload: 1456,";  // 1456 + 16 + 28
  EXPECT_EQ(errors_of(wanted), "");
  wanted.stream = "max_payload: 1457,";
  EXPECT_NE(errors_of(wanted).find("become IP packets of 1501, and the MTU of port out is 1500"),
            std::string::npos);
  wanted.outputs = kMain + "}";
  EXPECT_EQ(errors_of(wanted), "");  // in the clear nobody asks
}

TEST(ProtectRules, what_would_not_pass_the_mtu_in_the_clear_is_a_word_where_it_was_said) {
  YamlFile wanted = file("", "");
  wanted.outputs = kMain + "}";
  EXPECT_EQ(test::warnings_of(wanted), "");
  wanted.stream = "max_payload: 1472,";
  EXPECT_EQ(test::warnings_of(wanted), "");
  wanted.stream = "max_payload: 1473,";
  EXPECT_NE(test::warnings_of(wanted).find("1473 bytes become IP packets of 1501"),
            std::string::npos);
  wanted.outputs = "h: {port: out, unicast: {too_big: fragment}}";
  EXPECT_EQ(test::warnings_of(wanted), "");
}

TEST(ProtectRules, who_has_a_key_of_its_own_is_told_it_by_somebody) {
  const std::string clients =
      "h: {port: out, unicast: {}, protect: {profile: srtp_gcm, key_file: "
      "a.key, isolation: per_client}}";
  YamlFile wanted = file("", "");
  wanted.outputs = clients;
  const auto with_doors = [&](const std::string& rest) {
    return read_spec_text(wanted.text() + rest, "f");
  };
  EXPECT_NE(test::joined(with_doors("").warnings).find("nobody is told a key"), std::string::npos);
  const std::string open = "doors: {rest: {listen: '10.0.0.9:8080', allow: [10.0.0.0/8]";
  EXPECT_NE(test::joined(with_doors(open + "}}\n").errors).find("over TLS or on loopback alone"),
            std::string::npos);
  const Reading tls = with_doors(open + ", tls: {cert: /c, key: /k}}}\n");
  EXPECT_EQ(test::joined(tls.errors) + test::joined(tls.warnings), "");
  const Reading anywhere =
      with_doors("doors: {rest: {listen: '0.0.0.0:1', allow: [10.0.0.0/8]}}\n");
  EXPECT_EQ(test::joined(anywhere.errors), "");
  const Reading loopback = with_doors("doors: {rest: {listen: '127.0.0.1:8080'}}\n");
  EXPECT_EQ(test::joined(loopback.errors) + test::joined(loopback.warnings), "");
}

TEST(ProtectRules, unicast_outputs_of_a_stream_are_protected_alike) {
  const std::string clients = ", h: {port: out, unicast: {}}, i: {port: out, unicast: {}, " + kSrtp;
  EXPECT_NE(errors_of(file(kSrtp, clients + "}")).find("unicast outputs of one stream"),
            std::string::npos);
}

}  // namespace
}  // namespace castgate
