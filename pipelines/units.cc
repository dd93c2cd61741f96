// SPDX-License-Identifier: Apache-2.0
#include "pipelines/units.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>
#include <ranges>

#include "pipelines/complaints.h"

namespace castgate {
namespace {

constexpr std::array<UnitOf, 4> kDurationUnits{
    {{"ns", 1}, {"us", 1'000}, {"ms", 1'000'000}, {"s", 1'000'000'000}}};
constexpr std::array<UnitOf, 5> kSizeUnits{
    {{"B", 1}, {"KiB", 1ull << 10}, {"MiB", 1ull << 20}, {"GiB", 1ull << 30}, {"TiB", 1ull << 40}}};
constexpr std::array<UnitOf, 3> kPacketRateUnits{
    {{"pps", 1}, {"kpps", 1'000}, {"Mpps", 1'000'000}}};
constexpr std::array<UnitOf, 4> kBitRateUnits{
    {{"bps", 1}, {"kbps", 1'000}, {"Mbps", 1'000'000}, {"Gbps", 1'000'000'000}}};
constexpr std::array<UnitOf, 3> kFrequencyUnits{{{"Hz", 1}, {"kHz", 1'000}, {"MHz", 1'000'000}}};
constexpr std::array<UnitOf, 2> kShareUnits{{{"ppm", 1}, {"%", 10'000}}};

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

// Digits only, at most 18 of them: no overflow in 64 bits.
bool read_digits(std::string_view digits, std::uint64_t& value) noexcept {
  constexpr std::size_t kMostDigits = 18;
  if (digits.empty() || digits.size() > kMostDigits) return false;
  if (!std::ranges::all_of(digits, is_digit)) return false;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return true;
}

// whole.fraction times scale, where that is a whole number of base units.
Result<std::uint64_t> scaled(std::string_view number, const UnitOf& unit) {
  const auto point = number.find('.');
  std::uint64_t whole = 0;
  std::uint64_t fraction = 0;
  if (!read_digits(number.substr(0, point), whole)) return fail("is not a number");
  std::string_view decimals;
  if (point != std::string_view::npos) {
    decimals = number.substr(point + 1);
    if (!read_digits(decimals, fraction)) return fail("is not a number");
  }
  std::uint64_t parts = 1;  // read_digits allows 18 decimals: no overflow
  for (std::size_t i = 0; i < decimals.size(); ++i) parts *= 10;
  std::uint64_t rest = 0;
  if (__builtin_mul_overflow(fraction, unit.scale, &rest) || rest % parts != 0) {
    return fail("is finer than can be kept");
  }
  std::uint64_t total = 0;
  if (__builtin_mul_overflow(whole, unit.scale, &total) ||
      __builtin_add_overflow(total, rest / parts, &total)) {
    return fail("is too large");
  }
  return total;
}

}  // namespace

const Quantity kDurations{kDurationUnits, "10ms, 500us"};
const Quantity kSizes{kSizeUnits, "512MiB, 1GiB"};
const Quantity kPacketRates{kPacketRateUnits, "100kpps, 2500pps"};
const Quantity kBitRates{kBitRateUnits, "12Mbps, 2.5Gbps"};
const Quantity kFrequencies{kFrequencyUnits, "90kHz, 44.1kHz"};
const Quantity kShares{kShareUnits, "0.1%, 1000ppm"};

std::string Quantity::unit_names() const {
  std::string names;
  for (const auto& unit : units) names.append(names.empty() ? "" : ", ").append(unit.name);
  return names;
}

Result<std::uint64_t> parse_quantity(std::string_view text, const Quantity& quantity) {
  const auto end = std::ranges::find_if_not(text, [](char c) { return is_digit(c) || c == '.'; });
  const auto length = static_cast<std::size_t>(end - text.begin());
  const std::string_view number = text.substr(0, length);
  const std::string_view name = text.substr(length);
  if (number.empty()) {
    return fail(fmt::format("expected a number with its unit: {}", quantity.examples));
  }
  if (name.empty()) return fail(fmt::format("needs a unit: {}", quantity.examples));
  const auto unit = std::ranges::find(quantity.units, name, &UnitOf::name);
  if (unit == quantity.units.end()) {
    return fail(fmt::format("unknown unit {}; one of {}", shown(name), quantity.unit_names()));
  }
  const auto value = scaled(number, *unit);
  if (!value) return fail(fmt::format("{} {}", shown(text), value.error().text));
  return value;
}

Result<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t value = 0;
  if (!read_digits(text, value)) return fail("expected a whole number");
  return value;
}

Result<std::uint64_t> parse_identifier(std::string_view text) {
  if (!text.starts_with("0x")) return parse_number(text);
  const std::string_view digits = text.substr(2);
  std::uint64_t value = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  if (read.ec != std::errc{} || read.ptr != digits.data() + digits.size()) {
    return fail("expected a whole number, decimal or 0x...");
  }
  return value;
}

std::string quantity_text(std::uint64_t value, const Quantity& quantity) {
  for (const auto& unit : std::views::reverse(quantity.units)) {
    if (value >= unit.scale && value % unit.scale == 0) {
      return fmt::format("{}{}", value / unit.scale, unit.name);
    }
  }
  return fmt::format("{}{}", value, quantity.units.front().name);
}

std::string duration_text(Nanoseconds span) {
  return quantity_text(static_cast<std::uint64_t>(span.count()), kDurations);
}

}  // namespace castgate
