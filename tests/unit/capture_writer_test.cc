// SPDX-License-Identifier: Apache-2.0
#include "dataplane/base/capture/capture_writer.h"

#include <filesystem>

#include <gtest/gtest.h>

#include "tests/support/capture_bytes.h"

namespace castgate::test {
namespace {

class CaptureWriterTest : public testing::Test {
 protected:
  void TearDown() override {
    std::filesystem::remove(path_);
    std::filesystem::remove(path_ + ".gz");
  }
  static void write_two(const std::string& path) {
    auto writer = CaptureWriter::create(path);
    ASSERT_TRUE(writer);
    writer->write(Instant{7'123'456'789}, as_bytes("first frame"));
    writer->write(Instant{8'000'000'001}, as_bytes("second"));
    EXPECT_EQ(writer->frames(), 2u);
    EXPECT_TRUE(writer->close());
  }

  std::string path_ = testing::TempDir() + "capture_writer_test.pcap";
};

TEST_F(CaptureWriterTest, file_is_a_nanosecond_pcap_byte_for_byte) {
  write_two(path_);
  std::string header = pcap_header(0xa1b23c4d);
  header.replace(16, 4, little(262144, 4));
  EXPECT_EQ(file_text(path_),
            header + pcap_frame(7, 123456789, "first frame", 11) + pcap_frame(8, 1, "second", 6));
}

TEST_F(CaptureWriterTest, path_in_gz_is_packed_and_reads_back) {
  write_two(path_ + ".gz");
  EXPECT_EQ(file_text(path_ + ".gz").substr(0, 2), "\x1f\x8b");
  auto reader = CaptureReader::open(path_ + ".gz");
  ASSERT_TRUE(reader);
  const auto frame = next_frame(*reader);
  EXPECT_EQ(frame.time, Instant{7'123'456'789});
  EXPECT_EQ(as_text(frame.bytes), "first frame");
}

TEST_F(CaptureWriterTest, full_disk_is_told_at_the_end) {
  for (const int frames : {1, 10000}) {  // within the buffer, and far beyond it
    auto writer = CaptureWriter::create("/dev/full");
    ASSERT_TRUE(writer);
    for (int i = 0; i < frames; ++i) writer->write(Instant{i}, as_bytes(std::string(1400, 'x')));
    const auto closed = writer->close();
    ASSERT_FALSE(closed);
    EXPECT_EQ(closed.error().text, "/dev/full: No space left on device");
  }
}

TEST_F(CaptureWriterTest, place_that_cannot_be_written_is_refused) {
  const auto writer = CaptureWriter::create(testing::TempDir() + "no/such/place.pcap");
  ASSERT_FALSE(writer);
  EXPECT_EQ(writer.error().text,
            testing::TempDir() + "no/such/place.pcap: No such file or directory");
}

TEST_F(CaptureWriterTest, time_before_1970_is_brought_to_it) {
  auto writer = CaptureWriter::create(path_);
  ASSERT_TRUE(writer);
  writer->write(Instant{-5}, as_bytes("frame"));
  ASSERT_TRUE(writer->close());
  EXPECT_EQ(file_text(path_).substr(24), pcap_frame(0, 0, "frame", 5));
}

}  // namespace
}  // namespace castgate::test
