// SPDX-License-Identifier: Apache-2.0
#include "dataplane/base/wire.h"

#include <array>

#include <gtest/gtest.h>

namespace castgate {
namespace {

constexpr std::array kBytes{std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}, std::byte{5},
                            std::byte{6}, std::byte{7}, std::byte{8}, std::byte{9}};

TEST(WireReaderTest, numbers_are_big_endian) {
  WireReader in(kBytes);
  EXPECT_EQ(in.u8(), 0x01u);
  EXPECT_EQ(in.u16(), 0x0203u);
  EXPECT_EQ(in.u32(), 0x04050607u);
  EXPECT_EQ(in.remaining(), 2u);
  EXPECT_EQ(in.position(), 7u);
  EXPECT_EQ(WireReader(kBytes).u64(), 0x0102030405060708u);
}

TEST(WireReaderTest, read_past_the_end_gives_zero_and_is_remembered) {
  WireReader in(kBytes);
  in.skip(6);
  EXPECT_EQ(in.u32(), 0u);
  EXPECT_FALSE(in.ok());
  EXPECT_EQ(in.position(), 6u);
  EXPECT_EQ(in.u8(), 0u) << "three bytes are left, but the reader has failed";
  EXPECT_TRUE(in.take(0).empty());
}

TEST(WireReaderTest, last_byte_can_be_read_and_nothing_after_it) {
  WireReader in(kBytes);
  in.skip(8);
  EXPECT_EQ(in.u8(), 9u);
  EXPECT_TRUE(in.ok());
  EXPECT_EQ(in.remaining(), 0u);
  in.skip(1);
  EXPECT_FALSE(in.ok());
}

TEST(WireReaderTest, huge_count_does_not_overflow) {
  WireReader in(kBytes);
  in.skip(1);
  EXPECT_TRUE(in.take(SIZE_MAX).empty());
  EXPECT_FALSE(in.ok());
  EXPECT_EQ(in.remaining(), 8u);
}

}  // namespace
}  // namespace castgate
