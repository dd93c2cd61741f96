// SPDX-License-Identifier: Apache-2.0
// restamp: and failover.continuity: what is read, and which of it does not go together.
#include <gtest/gtest.h>

#include "tests/support/yaml_file.h"

namespace castgate {
namespace {

using test::errors_of;
using test::YamlFile;

StreamSpec read(const std::string& failover, const std::string& stream) {
  const Reading reading =
      read_spec_text(YamlFile{.failover = failover, .stream = stream}.text(), "f");
  EXPECT_EQ(test::joined(reading.errors), "");
  return reading.spec.streams.at(0);
}

TEST(RestampKeys, absent_keys_leave_the_stream_as_it_is) {
  const StreamSpec stream = read("", "");
  EXPECT_EQ(stream.failover.continuity, Continuity::Preserve);
  EXPECT_EQ(stream.restamp.rtp, RtpFace::Keep);
  EXPECT_EQ(stream.restamp.payload_type, 33);
  EXPECT_FALSE(is_restamped(stream));
}

TEST(RestampKeys, values_are_read) {
  const StreamSpec spliced =
      read("continuity: splice", "restamp: {clock_rate: 44.1kHz, ssrc: 0xCA57ca57},");
  EXPECT_EQ(spliced.failover.continuity, Continuity::Splice);
  EXPECT_EQ(spliced.restamp.clock_rate_hz, 44'100u);
  EXPECT_EQ(spliced.restamp.ssrc, 0xca57ca57u);
  EXPECT_TRUE(is_restamped(spliced));
  const StreamSpec inserted =
      read("",
           "sequence: cme_mdp3, restamp: {rtp: insert, payload_type: 96, clock_rate: 1MHz, "
           "ssrc: 4294967295},");
  EXPECT_EQ(inserted.restamp.rtp, RtpFace::Insert);
  EXPECT_EQ(inserted.restamp.payload_type, 96);
  EXPECT_EQ(inserted.restamp.clock_rate_hz, 1'000'000u);
  EXPECT_EQ(inserted.restamp.ssrc, 0xffffffffu);
  EXPECT_EQ(read("", "restamp: {rtp: strip},").restamp.rtp, RtpFace::Strip);
}

TEST(RestampKeys, wrong_values_are_named) {
  const auto error = [](const std::string& restamp) {
    return errors_of({.failover = "continuity: splice", .stream = "restamp: {" + restamp + "},"});
  };
  EXPECT_EQ(error("clock_rate: 90000"),
            "f:4:37: streams.s.restamp.clock_rate: needs a unit: 90kHz, 44.1kHz");
  EXPECT_EQ(error("clock_rate: 0Hz"),
            "f:4:37: streams.s.restamp.clock_rate: 0Hz is out of range: 1Hz to 100MHz");
  EXPECT_EQ(error("ssrc: 0x1ca57ca57"),
            "f:4:31: streams.s.restamp.ssrc: 0x1ca57ca57 is out of range: 0 to 4294967295");
  for (const char* wrong : {"0x", "0xg", "0x1 2", "0x11112222333344445"}) {
    EXPECT_EQ(error(std::string("ssrc: ") + wrong),
              "f:4:31: streams.s.restamp.ssrc: expected a whole number, decimal or 0x...")
        << wrong;
  }
  EXPECT_EQ(error("ssrc: ca57"), "f:4:31: streams.s.restamp.ssrc: expected a whole number");
  EXPECT_EQ(error("rtp: add"),
            "f:4:30: streams.s.restamp.rtp: 'add' is unknown; one of keep, insert, strip");
  EXPECT_EQ(errors_of({.stream = "sequence: cme_mdp3, restamp: {rtp: insert, payload_type: 128},"}),
            "f:4:72: streams.s.restamp.payload_type: 128 is out of range: 0 to 127");
}

TEST(RestampRules, splice_needs_rtp) {
  for (const char* format : {"moldudp64", "cme_mdp3", "iex_tp"}) {
    EXPECT_EQ(errors_of({.failover = "continuity: splice",
                         .stream = std::string("sequence: ") + format + ","}),
              std::string("f:6:24: streams.s.failover.continuity: splice rewrites RTP headers, and "
                          "packets of sequence: ") +
                  format + " have none: continuity: preserve");
  }
  EXPECT_EQ(errors_of({.failover = "continuity: splice", .stream = "sequence: rtp_extended,"}), "");
  EXPECT_EQ(errors_of({.failover = "continuity: preserve", .stream = "sequence: moldudp64,"}), "");
}

TEST(RestampRules, headers_are_inserted_and_stripped_where_that_makes_sense) {
  EXPECT_EQ(errors_of({.stream = "restamp: {rtp: insert},"}),
            "f:4:30: streams.s.restamp.rtp: packets of sequence: rtp have RTP headers already: "
            "keep, or failover.continuity: splice");
  EXPECT_EQ(errors_of({.stream = "sequence: cme_mdp3, restamp: {rtp: strip},"}),
            "f:4:50: streams.s.restamp.rtp: strip needs sequence: rtp; of cme_mdp3 no stream would "
            "be left");
  EXPECT_EQ(errors_of({.failover = "continuity: splice",
                       .stream = "sequence: cme_mdp3, restamp: {rtp: insert},"}),
            "f:6:24: streams.s.failover.continuity: has no effect: with restamp.rtp: insert the "
            "numbering is our own anyway");
  EXPECT_EQ(errors_of({.failover = "continuity: splice", .stream = "restamp: {rtp: strip},"}),
            "f:6:24: streams.s.failover.continuity: has no effect: restamp.rtp: strip takes the "
            "numbers off");
}

TEST(RestampRules, keys_without_effect_are_refused) {
  EXPECT_EQ(errors_of({.failover = "continuity: splice", .stream = "restamp: {payload_type: 96},"}),
            "f:4:39: streams.s.restamp.payload_type: has no effect without rtp: insert");
  EXPECT_EQ(errors_of({.stream = "restamp: {clock_rate: 8kHz, ssrc: 1},"}),
            "f:4:37: streams.s.restamp.clock_rate: has no effect without rtp: insert or "
            "failover.continuity: splice\n"
            "f:4:49: streams.s.restamp.ssrc: has no effect without rtp: insert or "
            "failover.continuity: splice");
}

}  // namespace
}  // namespace castgate
