// SPDX-License-Identifier: Apache-2.0
// The judges are Wireshark's own programs.
#include "dataplane/base/capture/pcapng_writer.h"

#include <gtest/gtest.h>

#include "tests/support/capture_bytes.h"
#include "tests/support/program.h"

namespace castgate::test {
namespace {

class PcapngWriterTest : public testing::Test {
 protected:
  void SetUp() override {
    if (run("command -v tshark capinfos").exit_code != 0) GTEST_SKIP() << "no tshark here";
  }

  std::string file() const {
    return scratch_.write("it.pcapng",
                          {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()});
  }
  std::string tshark(const std::string& fields) const {
    const Outcome said = run("tshark -r " + file() + " -T fields " + fields);
    EXPECT_EQ(said.exit_code, 0) << said.err;
    return said.out;
  }
  std::string capinfos() const {
    const Outcome said = run("capinfos " + file());
    EXPECT_EQ(said.exit_code, 0) << said.err;
    return said.out;
  }

  Scratch scratch_;
  std::vector<std::byte> bytes_;
  PcapngWriter writer_{bytes_};
};

TEST_F(PcapngWriterTest, packets_keep_interface_time_length_and_comment) {
  const unsigned rx = writer_.add_interface({.name = "rx", .description = "port red"});
  const unsigned drops =
      writer_.add_interface({.name = "drops", .description = "stream news1", .snap_length = 96});
  const std::string frame(61, '\x01');
  writer_.write({.interface = rx,
                 .time = {1'700'000'000'123'456'789},
                 .bytes = as_bytes(frame),
                 .wire_length = 61});
  writer_.write({.interface = drops,
                 .time = {1'700'000'001'000'000'001},
                 .bytes = as_bytes(frame).first(58),
                 .wire_length = 1514,
                 .comment = "redundant"});
  EXPECT_EQ(tshark("-e frame.interface_name -e frame.interface_description -e frame.time_epoch "
                   "-e frame.len -e frame.cap_len -e frame.comment"),
            "rx\tport red\t1700000000.123456789\t61\t61\t\n"
            "drops\tstream news1\t1700000001.000000001\t1514\t58\tredundant\n");
}

TEST_F(PcapngWriterTest, bytes_and_comments_of_every_length_read_back) {
  const unsigned rx = writer_.add_interface({.name = "rx", .description = ""});
  std::string expected;
  for (std::size_t length = 14; length < 40; ++length) {
    const std::string frame(length, '\x77');
    const std::string comment(length - 13, 'c');
    writer_.write({.interface = rx,
                   .time = {static_cast<std::int64_t>(length)},
                   .bytes = as_bytes(frame),
                   .wire_length = static_cast<std::uint32_t>(length),
                   .comment = comment});
    expected += std::to_string(length) + "\t" + comment + "\n";
  }
  EXPECT_EQ(tshark("-e frame.cap_len -e frame.comment"), expected);
  const Outcome raw = run("tshark -r " + file() + " -x | grep -c '77 77'");
  EXPECT_EQ(raw.exit_code, 0);
}

TEST_F(PcapngWriterTest, statistics_tell_what_was_not_kept) {
  const unsigned rx = writer_.add_interface({.name = "rx", .description = "port red"});
  const std::string frame(60, '\x01');
  writer_.write({.interface = rx, .time = {5}, .bytes = as_bytes(frame), .wire_length = 60});
  writer_.write_statistics(rx, {6}, 8, 7);
  const std::string said = capinfos();
  EXPECT_NE(said.find("Number of stat entries = 1"), std::string::npos) << said;
  EXPECT_NE(said.find("nanoseconds (9)"), std::string::npos) << said;
  EXPECT_NE(said.find("castgate"), std::string::npos) << said;
}

TEST_F(PcapngWriterTest, section_without_packets_is_a_file) {
  EXPECT_NE(capinfos().find("Number of packets:   0"), std::string::npos);
}

TEST_F(PcapngWriterTest, time_before_1970_is_1970) {
  const unsigned rx = writer_.add_interface({.name = "rx", .description = ""});
  const std::string frame(60, '\x01');
  writer_.write({.interface = rx, .time = {-5}, .bytes = as_bytes(frame), .wire_length = 60});
  EXPECT_EQ(tshark("-e frame.time_epoch"), "0.000000000\n");
}

}  // namespace
}  // namespace castgate::test
