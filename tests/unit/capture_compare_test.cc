// SPDX-License-Identifier: Apache-2.0
#include <filesystem>

#include <gtest/gtest.h>

#include "dataplane/base/capture/compare.h"
#include "tests/support/capture_bytes.h"

namespace castgate::test {
namespace {

const std::string kFrame =
    from_hex("01005e090001 020000000003 0800") +
    from_hex("4500 0030 0000 4000 1011 0000 0a000009 ef090001 1388 1388 001c 0000") +
    from_hex("8021 04d2 00015f90 01020304") + "payload!";

class CaptureCompareTest : public testing::Test {
 protected:
  void TearDown() override {
    std::filesystem::remove(wanted_);
    std::filesystem::remove(got_);
  }

  static std::string frames(const std::vector<std::string>& all) {
    std::string text = pcap_header(0xa1b23c4d);
    for (const auto& bytes : all) text += pcap_frame(1, 500, bytes, bytes.size());
    return text;
  }

  CaptureDifference difference(const std::string& wanted, const std::string& got,
                               bool times = false) {
    write_file(wanted_, wanted);
    write_file(got_, got);
    const auto outcome = compare_captures(wanted_, got_, times);
    EXPECT_TRUE(outcome) << outcome.error().text;
    EXPECT_TRUE(outcome->has_value()) << "no difference found";
    return outcome->value_or(CaptureDifference{});
  }

  std::string wanted_ = testing::TempDir() + "capture_compare_wanted.pcap";
  std::string got_ = testing::TempDir() + "capture_compare_got.pcap";
};

TEST_F(CaptureCompareTest, same_frames_are_equal_whatever_the_container) {
  write_file(wanted_, frames({kFrame, "other frame"}));
  write_file(got_, pcapng_header(6) + pcapng_frame(7, kFrame) + pcapng_frame(8, "other frame"));
  const auto outcome = compare_captures(wanted_, got_, false);
  ASSERT_TRUE(outcome);
  EXPECT_FALSE(outcome->has_value());
}

TEST_F(CaptureCompareTest, first_byte_that_differs_is_named_and_shown) {
  std::string wrong = kFrame;
  wrong[22] = 15;  // the TTL
  wrong[60] = '!';
  const auto found = difference(frames({kFrame, kFrame}), frames({kFrame, wrong}));
  EXPECT_EQ(found.kind, DifferenceKind::Bytes);
  EXPECT_EQ(found.frame, 2u);
  EXPECT_EQ(found.offset, 22u);
  EXPECT_EQ(found.field, "ip.ttl");
  const std::string rest = "RTP seq 1234 ts 90000 ssrc 0x01020304 8 B payload";
  EXPECT_EQ(found.to_string(),
            "frame 2 differs at byte 22 (ip.ttl)\n"
            "  expected  239.9.0.1:5000 ← 10.0.0.9:5000 ttl 16 " +
                rest + "\n" +
                "           … 00 00 40 00 [10] 11 00 00 0a 00 00 09 ef 09 00 01 …\n"
                "  got       239.9.0.1:5000 ← 10.0.0.9:5000 ttl 15 " +
                rest + "\n" + "           … 00 00 40 00 [0f] 11 00 00 0a 00 00 09 ef 09 00 01 …");
}

TEST_F(CaptureCompareTest, frame_that_ends_early_differs_at_its_end) {
  const auto found = difference(frames({kFrame}), frames({kFrame.substr(0, 60)}));
  EXPECT_EQ(found.offset, 60u);
  EXPECT_EQ(found.field, "payload+6");
  EXPECT_NE(found.to_string().find("79 6c 6f 61 [end]"), std::string::npos) << found.to_string();
  const auto longer = difference(frames({kFrame}), frames({kFrame + "xyz"}));
  EXPECT_EQ(longer.field, "padding+0");
}

TEST_F(CaptureCompareTest, missing_and_extra_frames_are_told) {
  const auto missing = difference(frames({kFrame, kFrame}), frames({kFrame}));
  EXPECT_EQ(missing.kind, DifferenceKind::Missing);
  EXPECT_EQ(missing.to_string().find("frame 2 is missing\n  expected  239.9.0.1:5000 "), 0u);
  EXPECT_EQ(missing.to_string().find("got"), std::string::npos);
  const auto extra = difference(frames({}), frames({kFrame}));
  EXPECT_EQ(extra.kind, DifferenceKind::Extra);
  EXPECT_EQ(extra.to_string().find("frame 1 was not expected\n  got       239.9.0.1:5000 "), 0u);
}

TEST_F(CaptureCompareTest, times_count_only_when_asked) {
  const std::string later = pcap_header(0xa1b23c4d) + pcap_frame(1, 740, kFrame, kFrame.size());
  const auto found = difference(frames({kFrame}), later, true);
  EXPECT_EQ(found.kind, DifferenceKind::Time);
  EXPECT_EQ(found.to_string().find("frame 1 left 240 ns later than expected\n"), 0u);
  const auto without = compare_captures(wanted_, got_, false);
  ASSERT_TRUE(without);
  EXPECT_FALSE(without->has_value());
}

TEST_F(CaptureCompareTest, unreadable_capture_is_an_error_not_a_difference) {
  write_file(wanted_, frames({kFrame}));
  write_file(got_, frames({kFrame}).substr(0, 50));
  for (const auto& [first, second] : {std::pair(wanted_, got_), std::pair(got_, wanted_)}) {
    const auto outcome = compare_captures(first, second, false);
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().text.find(got_ + ": frame 1: truncated"), 0u);
  }
  EXPECT_FALSE(compare_captures(wanted_, got_ + ".none", false));
  EXPECT_FALSE(compare_captures(wanted_ + ".none", wanted_, false));
}

}  // namespace
}  // namespace castgate::test
