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
                                          "replay_window: 64, roc: 5, key_file: /k}")
                                         .text(),
                                     "f");
  EXPECT_EQ(test::joined(all.errors), "");
  const OpenSpec& open = all.spec.streams.at(0).legs.at(0).open;
  EXPECT_EQ(open.profile, OpenProfile::SrtpCm);
  EXPECT_EQ(open.key_bits, 256u);
  EXPECT_EQ(open.tag_bits, 32u);
  EXPECT_EQ(open.replay_window, 64u);
  EXPECT_EQ(open.roc, 5u);
  EXPECT_EQ(open.key_file, "/k");
  EXPECT_EQ(key_file_bytes(open), 46u);
}

TEST(OpenRules, values_that_are_none_are_told) {
  EXPECT_TRUE(told(file("{key_file: a}"), "profile"));
  EXPECT_TRUE(told(file("{profile: srtp_gcm}"), "key_file"));
  EXPECT_TRUE(told(file("{profile: rot13, key_file: a}"), "srtp_gcm, srtp_cm"));
  EXPECT_TRUE(told(file("{profile: esp_tunnel, key_file: a}"), "not yet"));
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

}  // namespace
}  // namespace castgate
