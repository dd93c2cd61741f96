// SPDX-License-Identifier: Apache-2.0
// legs.X.offset: what is read, and which sequences and legs it is not for.
#include <gtest/gtest.h>

#include "tests/support/yaml_file.h"

namespace castgate {
namespace {

using test::YamlFile;

YamlFile file(const std::string& first, const std::string& second, const std::string& stream = "",
              const std::string& failover = "") {
  const auto leg = [](const char* name, const char* to, const std::string& offset) {
    const std::string key = offset.empty() ? "" : ", offset: " + offset;
    return std::string(name) + ": {port: red, to: " + to + key + "}";
  };
  YamlFile made{.failover = failover, .stream = stream};
  made.legs = leg("A", "\"239.1.0.1:5000\"", first) + ", " + leg("B", "\"239.1.0.2:5000\"", second);
  return made;
}

LegOffset read(const std::string& offset) {
  const Reading reading = read_spec_text(file("", offset).text(), "f");
  EXPECT_EQ(test::joined(reading.errors), "");
  return reading.spec.streams.at(0).legs.at(1).offset;
}

// What is said of leg B's offset, without its place.
std::string error(const std::string& offset, const std::string& stream = "",
                  const std::string& failover = "", const std::string& first = "") {
  const std::string text = test::errors_of(file(first, offset, stream, failover));
  const auto key = text.find(".offset: ");
  return key == std::string::npos ? text : text.substr(key + 9);
}

TEST(OffsetKey, values_are_read) {
  EXPECT_TRUE(read("").is_none());
  EXPECT_TRUE(read("0").is_none());
  EXPECT_EQ(read("1200").positions, 1'200);
  EXPECT_EQ(read("+1200").positions, 1'200);
  EXPECT_EQ(read("-65535").positions, -65'535);
  EXPECT_TRUE(read("auto").automatic);
}

TEST(OffsetKey, wrong_values_are_named) {
  for (const char* wrong :
       {"automatic", "1.5", "0x10", "12ms", "+-3", "--3", "99999999999999999999", "+"}) {
    EXPECT_NE(error(wrong).find("is neither a whole number of positions, as -1200, nor auto"),
              std::string::npos)
        << wrong;
  }
}

TEST(OffsetKey, number_must_be_within_the_range_of_the_sequence) {
  EXPECT_EQ(error("65536"),
            "65536 is out of range: numbers of this sequence have 16 bits, -65535 to 65535");
  EXPECT_EQ(error("-4294967296", "sequence: cme_mdp3,"),
            "-4294967296 is out of range: numbers of this sequence have 32 bits, -4294967295 to "
            "4294967295");
  EXPECT_EQ(error("-4294967295", "sequence: cme_mdp3,"), "");
  EXPECT_EQ(error("-4294967296", "sequence: moldudp64,"), "");
}

TEST(OffsetKey, a_leg_must_be_left_that_is_the_reference) {
  EXPECT_EQ(error("auto", "", "", "7"),
            "every leg has one: leave it out for the leg whose numbers are the stream's");
  EXPECT_EQ(error("auto", "", "", "0"), "");
}

TEST(OffsetKey, sequences_whose_numbers_cannot_be_moved_name_the_cure) {
  EXPECT_NE(error("7", "sequence: fingerprint,").find("leave it out"), std::string::npos);
  EXPECT_NE(error("auto", "sequence: fingerprint,").find("leave it out"), std::string::npos);
  EXPECT_NE(error("7", "sequence: iex_tp,").find("legs of one server"), std::string::npos);
  EXPECT_NE(error("auto", "sequence: moldudp64,").find("as a number"), std::string::npos);
  const std::string generic = "sequence: {format: generic, position: {at: 0, width: 4}";
  EXPECT_EQ(error("auto", generic + "},"), "");
  EXPECT_NE(error("auto", generic + ", count: {at: 4, width: 2}},").find("as a number"),
            std::string::npos);
  EXPECT_NE(error("auto", generic + ", epoch: {at: 4, width: 2}},").find("leave sequence.epoch"),
            std::string::npos);
  for (const char* good : {"rtp", "rtp_extended", "cme_mdp3"}) {
    EXPECT_EQ(error("auto", std::string("sequence: ") + good + ","), "") << good;
  }
}

TEST(OffsetKey, memory_to_learn_in_is_bounded) {
  EXPECT_EQ(error("auto", "sequence: rtp_extended,", "max_skew: 100ms, max_rate: 1Mpps"),
            "auto would remember 262144 payloads of each leg, twice max_rate x max_skew, at most "
            "65536: lower failover.max_skew or max_rate, or give the offset as a number");
  EXPECT_EQ(error("7", "sequence: rtp_extended,", "max_skew: 100ms, max_rate: 1Mpps"), "");
}

}  // namespace
}  // namespace castgate
