// SPDX-License-Identifier: Apache-2.0
#include "controlplane/slow_path/reports.h"

#include <cstring>
#include <span>
#include <utility>

#include "dataplane/base/big_endian.h"
#include "dataplane/base/checksum.h"

namespace castgate {
namespace {

using Message = std::vector<std::byte>;

constexpr std::size_t kLargest = 1400;
constexpr std::size_t kCountAt = 6;
constexpr std::size_t kChecksumAt = 2;
constexpr std::byte kIgmp3Report{0x22};
constexpr std::byte kIgmp2Report{0x16};
constexpr std::byte kMld2Report{143};
constexpr std::byte kModeIsInclude{1};
constexpr std::byte kModeIsExclude{2};

void put16(Message& message, std::size_t number) {
  message.push_back(static_cast<std::byte>(number >> 8));
  message.push_back(static_cast<std::byte>(number));
}

void put(Message& message, const IpAddress& address) {
  const auto bytes = std::as_bytes(std::span(address.bytes()));
  message.insert(message.end(), bytes.begin() + (address.is_v4() ? 12 : 0), bytes.end());
}

void put(Message& message, const JoinedGroup& joined) {
  message.push_back(joined.sources.empty() ? kModeIsExclude : kModeIsInclude);
  message.push_back(std::byte{0});
  put16(message, joined.sources.size());
  put(message, joined.group);
  for (const auto& source : joined.sources) put(message, source);
}

void finish(Message& message, bool v4, std::size_t records) {
  store_be16(message.data() + kCountAt, static_cast<std::uint16_t>(records));
  if (!v4) return;
  const auto sum = static_cast<std::uint16_t>(~fold_sum(ones_sum(message.data(), message.size())));
  std::memcpy(message.data() + kChecksumAt, &sum, sizeof sum);
}

}  // namespace

std::vector<Message> current_state_reports(const std::vector<JoinedGroup>& joined) {
  std::vector<Message> reports;
  if (joined.empty()) return reports;
  const bool v4 = joined.front().group.is_v4();
  const Message head{v4 ? kIgmp3Report : kMld2Report, {}, {}, {}, {}, {}, {}, {}};
  Message report = head;
  std::size_t records = 0;
  for (const auto& group : joined) {
    Message record;
    put(record, group);
    if (report.size() + record.size() > kLargest && records > 0) {
      finish(report, v4, records);
      reports.push_back(std::exchange(report, head));
      records = 0;
    }
    report.insert(report.end(), record.begin(), record.end());
    ++records;
  }
  finish(report, v4, records);
  reports.push_back(std::move(report));
  return reports;
}

Message igmp2_report(const IpAddress& group) {
  Message report{kIgmp2Report, {}, {}, {}};
  put(report, group);
  const auto sum = static_cast<std::uint16_t>(~fold_sum(ones_sum(report.data(), report.size())));
  std::memcpy(report.data() + kChecksumAt, &sum, sizeof sum);
  return report;
}

}  // namespace castgate
