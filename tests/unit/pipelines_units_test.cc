// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "pipelines/units.h"

namespace castgate {
namespace {

std::string fault(std::string_view text, const Quantity& quantity) {
  const auto value = parse_quantity(text, quantity);
  return value ? "taken as " + std::to_string(*value) : value.error().text;
}

TEST(Units, quantities_come_in_their_base_unit) {
  EXPECT_EQ(parse_quantity("10ms", kDurations), 10'000'000u);
  EXPECT_EQ(parse_quantity("500us", kDurations), 500'000u);
  EXPECT_EQ(parse_quantity("7ns", kDurations), 7u);
  EXPECT_EQ(parse_quantity("2s", kDurations), 2'000'000'000u);
  EXPECT_EQ(parse_quantity("0ms", kDurations), 0u);
  EXPECT_EQ(parse_quantity("512MiB", kSizes), 536'870'912u);
  EXPECT_EQ(parse_quantity("1TiB", kSizes), 1'099'511'627'776u);
  EXPECT_EQ(parse_quantity("100kpps", kPacketRates), 100'000u);
  EXPECT_EQ(parse_quantity("25pps", kPacketRates), 25u);
}

TEST(Units, decimals_are_exact_or_refused) {
  EXPECT_EQ(parse_quantity("1.5ms", kDurations), 1'500'000u);
  EXPECT_EQ(parse_quantity("0.000000001s", kDurations), 1u);
  EXPECT_EQ(parse_quantity("0.5KiB", kSizes), 512u);
  EXPECT_EQ(parse_quantity("1.10kpps", kPacketRates), 1'100u);
  EXPECT_EQ(fault("1.5ns", kDurations), "'1.5ns' is finer than can be kept");
  EXPECT_EQ(fault("0.0000000001s", kDurations), "'0.0000000001s' is finer than can be kept");
}

TEST(Units, number_without_unit_names_the_cure) {
  EXPECT_EQ(fault("10", kDurations), "needs a unit: 10ms, 500us");
  EXPECT_EQ(fault("0", kDurations), "needs a unit: 10ms, 500us");
  EXPECT_EQ(fault("512", kSizes), "needs a unit: 512MiB, 1GiB");
  EXPECT_EQ(fault("100000", kPacketRates), "needs a unit: 100kpps, 2500pps");
}

TEST(Units, wrong_unit_names_the_right_ones) {
  EXPECT_EQ(fault("10MS", kDurations), "unknown unit 'MS'; one of ns, us, ms, s");
  EXPECT_EQ(fault("10 ms", kDurations), "unknown unit ' ms'; one of ns, us, ms, s");
  EXPECT_EQ(fault("1MB", kSizes), "unknown unit 'MB'; one of B, KiB, MiB, GiB, TiB");
  EXPECT_EQ(fault("12Mbps", kPacketRates), "unknown unit 'Mbps'; one of pps, kpps, Mpps");
  EXPECT_EQ(fault("1e3ms", kDurations), "unknown unit 'e3ms'; one of ns, us, ms, s");
}

TEST(Units, what_is_no_number_is_refused) {
  for (const auto* text : {"", "ms", "-1ms", "+1ms", " 1ms", "none"}) {
    EXPECT_EQ(fault(text, kDurations), "expected a number with its unit: 10ms, 500us") << text;
  }
  for (const auto* text : {".ms", "1.ms", ".5ms", "1.2.3ms", "1234567890123456789ms"}) {
    EXPECT_EQ(fault(text, kDurations), "'" + std::string(text) + "' is not a number");
  }
}

TEST(Units, amounts_beyond_64_bits_are_refused) {
  EXPECT_EQ(fault("100000000000000000s", kDurations), "'100000000000000000s' is too large");
  EXPECT_EQ(fault("999999999999999999TiB", kSizes), "'999999999999999999TiB' is too large");
  EXPECT_EQ(parse_quantity("18446744073s", kDurations), 18'446'744'073'000'000'000u);
}

TEST(Units, plain_numbers_are_digits_only) {
  EXPECT_EQ(parse_number("0"), 0u);
  EXPECT_EQ(parse_number("65535"), 65535u);
  for (const auto* text : {"", "1.0", "-1", "0x10", "1 ", "1ms", "9999999999999999999"}) {
    EXPECT_FALSE(parse_number(text)) << text;
  }
}

TEST(Units, text_is_the_shortest_exact_form) {
  EXPECT_EQ(quantity_text(10'000'000, kDurations), "10ms");
  EXPECT_EQ(quantity_text(1'500'000, kDurations), "1500us");
  EXPECT_EQ(quantity_text(0, kDurations), "0ns");
  EXPECT_EQ(quantity_text(512u << 20, kSizes), "512MiB");
  EXPECT_EQ(quantity_text(100'000, kPacketRates), "100kpps");
  EXPECT_EQ(quantity_text(100'001, kPacketRates), "100001pps");
  EXPECT_EQ(duration_text(Nanoseconds{20'000'000}), "20ms");
}

}  // namespace
}  // namespace castgate
