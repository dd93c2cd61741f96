// SPDX-License-Identifier: Apache-2.0
#include "dataplane/base/capture/capture_reader.h"

#include <filesystem>
#include <vector>
#include <zlib.h>

#include <gtest/gtest.h>

#include "tests/support/capture_bytes.h"

namespace castgate::test {
namespace {

constexpr std::uint32_t kMicro = 0xa1b2c3d4;
constexpr std::uint32_t kNano = 0xa1b23c4d;
const std::string kFrame(60, 'x');

struct Seen {
  std::vector<std::int64_t> times;
  std::vector<std::string> frames;
  std::uint64_t snapped = 0;
  std::string error;
};

Seen read_all(Result<CaptureReader> reader) {
  Seen seen;
  if (!reader) seen.error = reader.error().text;
  if (!reader) return seen;
  while (true) {
    const auto next = reader->next();
    if (!next) seen.error = next.error().text;
    if (!next || !next->has_value()) break;
    const CapturedFrame frame = next->value_or(CapturedFrame{});
    seen.times.push_back(frame.time.ns);
    seen.frames.push_back(as_text(frame.bytes));
  }
  seen.snapped = reader->snapped_frames();
  return seen;
}

Seen read_bytes(const std::string& bytes) {
  return read_all(CaptureReader::from_memory(as_bytes(bytes)));
}

class CaptureFileTest : public testing::Test {
 protected:
  void TearDown() override { std::filesystem::remove(path_); }
  Seen read_file(const std::string& bytes) {
    write_file(path_, bytes);
    return read_all(CaptureReader::open(path_));
  }
  static std::string gzip(const std::string& bytes) {
    std::string packed(bytes.size() + 64, '\0');
    z_stream stream{};
    deflateInit2(&stream, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY);
    std::string input = bytes;
    stream.next_in = reinterpret_cast<Bytef*>(input.data());
    stream.avail_in = static_cast<uInt>(input.size());
    stream.next_out = reinterpret_cast<Bytef*>(packed.data());
    stream.avail_out = static_cast<uInt>(packed.size());
    deflate(&stream, Z_FINISH);
    packed.resize(stream.total_out);
    deflateEnd(&stream);
    return packed;
  }

  std::string path_ = testing::TempDir() + "capture_reader_test.pcap";
};

TEST(CaptureReaderTest, microseconds_become_nanoseconds) {
  const auto seen = read_bytes(pcap_header(kMicro) + pcap_frame(7, 123456, kFrame, 60));
  EXPECT_EQ(seen.error, "");
  EXPECT_EQ(seen.times, std::vector<std::int64_t>{7'123'456'000});
  EXPECT_EQ(seen.frames, std::vector{kFrame});
}

TEST(CaptureReaderTest, nanoseconds_are_kept) {
  const auto seen = read_bytes(pcap_header(kNano) + pcap_frame(7, 123456789, kFrame, 60) +
                               pcap_frame(8, 1, "short", 5));
  EXPECT_EQ(seen.times, (std::vector<std::int64_t>{7'123'456'789, 8'000'000'001}));
  EXPECT_EQ(seen.frames, (std::vector<std::string>{kFrame, "short"}));
}

TEST(CaptureReaderTest, capture_of_a_big_endian_machine_is_read) {
  const auto seen = read_bytes(big(kNano, 4) + big(2, 2) + big(4, 2) + big(0, 8) + big(65535, 4) +
                               big(1, 4) + big(9, 4) + big(5, 4) + big(3, 4) + big(3, 4) + "abc");
  EXPECT_EQ(seen.times, std::vector<std::int64_t>{9'000'000'005});
  EXPECT_EQ(seen.frames, std::vector<std::string>{"abc"});
}

TEST(CaptureReaderTest, pcapng_is_read_in_its_own_resolution) {
  EXPECT_EQ(read_bytes(pcapng_header(9) + pcapng_frame(7'000'000'001, "abcde")).times,
            std::vector<std::int64_t>{7'000'000'001});
  const auto micro = read_bytes(pcapng_header(6) + pcapng_frame(7'000'001, "abcde"));
  EXPECT_EQ(micro.times, std::vector<std::int64_t>{7'000'001'000});
  EXPECT_EQ(micro.frames, std::vector<std::string>{"abcde"});
}

TEST(CaptureReaderTest, snapped_frame_is_told_from_a_whole_one) {
  const std::string bytes =
      pcap_header(kNano) + pcap_frame(1, 0, kFrame, 1400) + pcap_frame(2, 0, kFrame, 60);
  auto reader = CaptureReader::from_memory(as_bytes(bytes));
  ASSERT_TRUE(reader);
  const auto snapped = next_frame(*reader);
  EXPECT_TRUE(snapped.snapped());
  EXPECT_EQ(snapped.wire_length, 1400u);
  EXPECT_FALSE(next_frame(*reader).snapped());
  EXPECT_EQ(reader->snapped_frames(), 1u);
  EXPECT_EQ(reader->frames(), 2u);
}

TEST(CaptureReaderTest, capture_without_frames_ends_at_once) {
  const auto seen = read_bytes(pcap_header(kNano));
  EXPECT_TRUE(seen.frames.empty());
  EXPECT_EQ(seen.error, "");
}

TEST(CaptureReaderTest, truncated_capture_names_the_frame) {
  const std::string whole = pcap_header(kNano) + pcap_frame(1, 0, kFrame, 60);
  const std::string second = pcap_frame(2, 0, kFrame, 60);
  for (std::size_t kept = 1; kept < second.size(); ++kept) {
    const auto seen = read_bytes(whole + second.substr(0, kept));
    EXPECT_EQ(seen.frames.size(), 1u);
    EXPECT_EQ(seen.error.find("memory: frame 2: truncated dump file"), 0u) << seen.error;
  }
}

TEST(CaptureReaderTest, truncated_header_is_not_a_capture) {
  const std::string header = pcap_header(kNano);
  for (std::size_t kept = 0; kept < header.size(); ++kept) {
    EXPECT_EQ(read_bytes(header.substr(0, kept)).error.find("memory: not a capture: "), 0u) << kept;
  }
}

TEST(CaptureReaderTest, other_link_type_is_refused_by_name) {
  EXPECT_EQ(read_bytes(pcap_header(kNano, 113)).error,
            "memory: link type LINUX_SLL (113); only Ethernet captures are read");
}

TEST(CaptureReaderTest, reading_on_after_an_error_finds_the_end) {
  const std::string bytes = pcap_header(kNano) + "torn";
  auto reader = CaptureReader::from_memory(as_bytes(bytes));
  ASSERT_TRUE(reader);
  EXPECT_FALSE(reader->next());
  const auto after = reader->next();
  ASSERT_TRUE(after);
  EXPECT_FALSE(after->has_value());
}

TEST(CaptureReaderTest, forged_time_stays_in_range) {
  for (const std::uint64_t ticks : {UINT64_MAX, UINT64_MAX / 2, UINT64_C(1) << 63}) {
    const auto seen = read_bytes(pcapng_header(0) + pcapng_frame(ticks, "abcd"));
    ASSERT_EQ(seen.times.size(), 1u);
    EXPECT_LE(std::abs(seen.times[0]), 9'000'000'000'999'999'999);
  }
}

TEST_F(CaptureFileTest, gzip_is_read_like_the_plain_file) {
  const std::string plain = pcap_header(kNano) + pcap_frame(7, 89, kFrame, 60);
  const auto unpacked = read_file(plain);
  const auto packed = read_file(gzip(plain));
  EXPECT_EQ(packed.error, "");
  EXPECT_EQ(packed.times, unpacked.times);
  EXPECT_EQ(packed.frames, std::vector{kFrame});
  EXPECT_EQ(read_file(gzip(pcapng_header(9) + pcapng_frame(5, "abcd"))).frames.size(), 1u);
}

TEST_F(CaptureFileTest, gzip_cut_short_is_an_error_wherever_it_is_cut) {
  const std::string packed = gzip(pcap_header(kNano) + pcap_frame(7, 89, kFrame, 60));
  for (std::size_t kept = 0; kept < packed.size(); ++kept) {
    EXPECT_NE(read_file(packed.substr(0, kept)).error, "") << kept;
  }
}

TEST_F(CaptureFileTest, damaged_gzip_is_an_error) {
  std::string packed = gzip(pcap_header(kNano) + pcap_frame(7, 89, kFrame, 60));
  packed[packed.size() - 6] ^= 1;  // in the checksum at its end
  EXPECT_NE(read_file(packed).error.find("incorrect data check"), std::string::npos);
}

TEST_F(CaptureFileTest, what_is_no_capture_is_refused_with_its_path) {
  EXPECT_EQ(read_file("schema: 1\nports: {}\nstreams: {}\n").error,
            path_ + ": not a capture: unknown file format");
  EXPECT_EQ(read_file("").error.find(path_ + ": not a capture: "), 0u);
  EXPECT_EQ(read_all(CaptureReader::open(path_ + ".none")).error,
            path_ + ".none: No such file or directory");
  EXPECT_EQ(read_all(CaptureReader::open(testing::TempDir())).error,
            testing::TempDir() + ": is a directory, not a capture");
}

TEST_F(CaptureFileTest, moved_reader_reads_on) {
  write_file(path_, pcap_header(kNano) + pcap_frame(1, 0, "one", 3) + pcap_frame(2, 0, "two", 3));
  auto first = CaptureReader::open(path_);
  ASSERT_TRUE(first);
  ASSERT_TRUE(first->next());
  auto second = CaptureReader::open(path_);
  ASSERT_TRUE(second);
  *second = std::move(*first);
  EXPECT_EQ(as_text(next_frame(*second).bytes), "two");
  EXPECT_EQ(second->frames(), 2u);
}

}  // namespace
}  // namespace castgate::test
