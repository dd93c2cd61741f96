// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <unistd.h>

#include <gtest/gtest.h>

#include "controlplane/slow_path/querier_watch.h"
#include "controlplane/slow_path/queries.h"
#include "controlplane/slow_path/reports.h"

namespace castgate {
namespace {

using namespace std::chrono_literals;
using Kind = MembershipQuery::Kind;

// Frames as other people's programs write them, in hexadecimal.
Frame frame_of(const std::string& hex) {
  Frame frame;
  std::string digits;
  std::ranges::copy_if(hex, std::back_inserter(digits), [](char c) { return c != ' '; });
  for (std::size_t at = 0; at + 1 < digits.size(); at += 2) {
    frame.push_back(static_cast<std::byte>(std::stoul(digits.substr(at, 2), nullptr, 16)));
  }
  return frame;
}

const std::string kEthernet = "01005e000001 020000000009 ";
const std::string kIp24 = "0800 46c00020 00000000 0102 4217 0a000009 e0000001 94040000 ";
const Frame kIgmp1Query = frame_of(kEthernet + kIp24 + "1100eeff00000000");
const Frame kIgmp2Query = frame_of(kEthernet + kIp24 + "1164ee9b00000000");
const Frame kIgmp2GroupQuery = frame_of(kEthernet + kIp24 + "110afdf2ef000001");
const Frame kIgmp3Query =
    frame_of(kEthernet + "0800 46c00024 00000000 0102 4213 0a000009 e0000001 94040000 " +
             "1164ec1e00000000027d0000");
const Frame kIgmp2Report = frame_of(kEthernet + kIp24 + "1600fafdef000001");

TEST(QueriesTest, versions_of_igmp_queries_are_told_apart) {
  EXPECT_EQ(query_in_frame(kIgmp1Query)->kind, Kind::Igmp1);
  EXPECT_EQ(query_in_frame(kIgmp2Query)->kind, Kind::Igmp2);
  EXPECT_EQ(query_in_frame(kIgmp3Query)->kind, Kind::Igmp3);
  EXPECT_EQ(query_in_frame(kIgmp3Query)->interval, 125s);
  EXPECT_FALSE(query_in_frame(kIgmp2GroupQuery)->general);
  EXPECT_FALSE(query_in_frame(kIgmp2Report));
}

TEST(QueriesTest, old_igmp_queries_are_kept_from_the_host_and_nothing_else) {
  EXPECT_TRUE(forges_old_igmp(kIgmp1Query));
  EXPECT_TRUE(forges_old_igmp(kIgmp2Query));
  EXPECT_TRUE(forges_old_igmp(kIgmp2GroupQuery));
  EXPECT_TRUE(forges_old_igmp(tagged(kIgmp2Query, {43, 0})));
  EXPECT_TRUE(forges_old_igmp(tagged(kIgmp2Query, {100, 43})));
  EXPECT_FALSE(forges_old_igmp(kIgmp3Query));
  EXPECT_FALSE(forges_old_igmp(kIgmp2Report));
  EXPECT_FALSE(forges_old_igmp(mld_general_query()));
}

TEST(QueriesTest, padding_of_a_short_frame_does_not_make_a_version_2_query_a_version_3_one) {
  Frame padded = kIgmp2Query;
  padded.resize(60);
  EXPECT_TRUE(forges_old_igmp(padded));
}

TEST(QueriesTest, frame_cut_anywhere_is_no_query) {
  for (const Frame& whole : {kIgmp3Query, tagged(kIgmp2Query, {100, 43}), mld_general_query()}) {
    for (std::size_t length = 0; length < whole.size(); ++length) {
      EXPECT_FALSE(query_in_frame(FrameView(whole).first(length))) << length;
    }
    EXPECT_TRUE(query_in_frame(whole));
  }
}

TEST(QueriesTest, interval_above_127_seconds_is_a_floating_number) {
  Frame query = igmp_general_query();
  query[47] = std::byte{0x8f};  // (0xf | 0x10) << (0 + 3)
  EXPECT_EQ(query_in_frame(query)->interval, 248s);
  query[47] = std::byte{0xff};  // (0xf | 0x10) << (7 + 3)
  EXPECT_EQ(query_in_frame(query)->interval, 31744s);
}

TEST(QueriesTest, query_in_a_vlan_keeps_its_tags) {
  EXPECT_EQ(query_in_frame(tagged(igmp_general_query(), {43, 0}))->tags, (VlanTags{43, 0}));
  EXPECT_EQ(query_in_frame(tagged(mld_general_query(), {100, 43}))->tags, (VlanTags{100, 43}));
}

TEST(QueriesTest, priority_tag_is_no_vlan_and_comes_off_like_one) {
  const Frame query = igmp_general_query();
  Frame priority = tagged(query, {100, 43});
  priority[14] = std::byte{0xe0};  // VLAN 0, priority 7
  priority[15] = std::byte{0};
  EXPECT_EQ(tags_of(priority), (VlanTags{43, 0}));
  EXPECT_EQ(query_in_frame(priority)->tags, (VlanTags{43, 0}));
  EXPECT_EQ(untagged(priority), query);
}

TEST(QueriesTest, frame_cut_within_its_tags_has_none_and_stays_as_it_is) {
  const Frame whole = tagged(igmp_general_query(), {100, 43});
  for (std::size_t length = 0; length < 12 + 4 + 4 + 2; ++length) {
    const FrameView cut = FrameView(whole).first(length);
    EXPECT_EQ(tags_of(cut), VlanTags{}) << length;
    EXPECT_TRUE(std::ranges::equal(untagged(cut), cut)) << length;
  }
}

// What tshark says of frames written to a capture; nothing where tshark is not installed.
std::string judged(const std::vector<Frame>& frames, const std::string& fields) {
  namespace fs = std::filesystem;
  std::string name = fs::temp_directory_path() / "frames-XXXXXX";
  close(mkstemp(name.data()));
  std::ofstream file(name, std::ios::binary);
  const auto put32 = [&](std::uint32_t number) {
    file.write(reinterpret_cast<const char*>(&number), sizeof number);
  };
  for (const std::uint32_t word : {0xa1b2c3d4u, 0x00040002u, 0u, 0u, 65535u, 1u}) put32(word);
  for (const auto& frame : frames) {
    const auto length = static_cast<std::uint32_t>(frame.size());
    for (const std::uint32_t word : {0u, 0u, length, length}) put32(word);
    file.write(reinterpret_cast<const char*>(frame.data()), length);
  }
  file.close();
  const std::string command = "tshark -r " + name + " -o ip.check_checksum:TRUE " +
                              "-T fields -E separator=, " + fields + " 2>/dev/null";
  std::string said;
  if (std::FILE* pipe = popen(command.c_str(), "r")) {
    for (int c = 0; (c = std::fgetc(pipe)) != EOF;) said.push_back(static_cast<char>(c));
    pclose(pipe);
  }
  fs::remove(name);
  return said;
}

TEST(QueriesTest, tshark_finds_our_general_queries_right) {
  if (std::system("command -v tshark >/dev/null") != 0) GTEST_SKIP() << "tshark is not installed";
  EXPECT_EQ(judged({igmp_general_query(), tagged(igmp_general_query(), {43, 0})},
                   "-e igmp.type -e igmp.version -e igmp.checksum.status -e ip.checksum.status "
                   "-e igmp.qqic -e vlan.id"),
            "0x11,3,1,1,60,\n0x11,3,1,1,60,43\n");
  EXPECT_EQ(judged({mld_general_query()},
                   "-e icmpv6.type -e icmpv6.checksum.status "
                   "-e icmpv6.mld.qqi -e ipv6.dst"),
            "130,1,60,ff02::1\n");
}

JoinedGroup joined(const std::string& group, const std::vector<std::string>& sources = {}) {
  JoinedGroup wanted{*IpAddress::parse(group)};
  for (const auto& source : sources) wanted.sources.push_back(*IpAddress::parse(source));
  return wanted;
}

// A report behind the headers that the kernel would give it.
Frame sent(const std::vector<std::byte>& message) {
  Frame frame = frame_of(
      "01005e000016 020000000009 0800 46c00000 00000000 0102 0000 0a000009 "
      "e0000016 94040000");
  frame[16] = static_cast<std::byte>((24 + message.size()) >> 8);
  frame[17] = static_cast<std::byte>(24 + message.size());
  frame.insert(frame.end(), message.begin(), message.end());
  return frame;
}

TEST(ReportsTest, tshark_reads_groups_and_sources_from_our_igmp_report) {
  if (std::system("command -v tshark >/dev/null") != 0) GTEST_SKIP() << "tshark is not installed";
  const auto reports =
      current_state_reports({joined("239.1.0.1", {"10.1.0.5", "10.1.0.6"}), joined("239.2.0.1")});
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(judged({sent(reports[0]), sent(igmp2_report(*IpAddress::parse("239.1.0.1")))},
                   "-E 'aggregator=|' -e igmp.type -e igmp.record_type -e igmp.maddr -e igmp.saddr "
                   "-e igmp.checksum.status"),
            "0x22,1|2,239.1.0.1|239.2.0.1,10.1.0.5|10.1.0.6,1\n0x16,,239.1.0.1,,1\n");
}

TEST(ReportsTest, many_groups_are_parted_into_packets_that_fit) {
  std::vector<JoinedGroup> groups;
  groups.reserve(500);
  for (unsigned i = 0; i < 500; ++i) groups.push_back({IpAddress::v4(0xef000000 + i)});
  const auto reports = current_state_reports(groups);
  std::size_t records = 0;
  for (const auto& report : reports) {
    EXPECT_LE(report.size(), 1400u);
    records +=
        std::to_integer<std::size_t>(report[6]) * 256 + std::to_integer<std::size_t>(report[7]);
    EXPECT_EQ(report.size(), 8 + 8 * (std::to_integer<std::size_t>(report[6]) * 256 +
                                      std::to_integer<std::size_t>(report[7])));
  }
  EXPECT_EQ(records, 500u);
}

TEST(ReportsTest, mld_report_has_whole_addresses) {
  const auto reports = current_state_reports({joined("ff3e::1", {"2001:db8::5"})});
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(reports[0].size(), 8u + 4 + 16 + 16);
  EXPECT_EQ(reports[0][0], std::byte{143});
  EXPECT_EQ(reports[0][12], std::byte{0xff});
}

Instant at(std::chrono::seconds time) {
  return Instant{} + time;
}

// Seconds at which the watch asks for a refresh, over a span.
std::vector<int> refreshes(QuerierWatch& watch, int from, int to) {
  std::vector<int> times;
  for (int second = from; second <= to; ++second) {
    if (watch.refresh_due(at(std::chrono::seconds(second)))) times.push_back(second);
  }
  return times;
}

TEST(QuerierWatchTest, where_nobody_ever_asked_memberships_are_refreshed_every_minute) {
  QuerierWatch watch(at(0s));
  EXPECT_EQ(refreshes(watch, 0, 200), (std::vector<int>{60, 120, 180}));
}

TEST(QuerierWatchTest, living_querier_is_left_to_it) {
  QuerierWatch watch(at(0s));
  for (int second = 0; second < 1000; second += 125) {
    watch.heard(at(std::chrono::seconds(second)), 125s);
    EXPECT_TRUE(refreshes(watch, second, second + 125).empty());
    EXPECT_FALSE(watch.absent(at(std::chrono::seconds(second + 125))));
  }
}

TEST(QuerierWatchTest, refresh_begins_well_before_switches_forget) {
  QuerierWatch watch(at(0s));
  watch.heard(at(10s), 125s);
  const auto times = refreshes(watch, 10, 400);
  ASSERT_FALSE(times.empty());
  EXPECT_LT(times.front(), 10 + 200);
  EXPECT_EQ(times[1] - times[0], 60);
}

TEST(QuerierWatchTest, refresh_keeps_the_pace_of_a_querier_that_asked_often) {
  QuerierWatch watch(at(0s));
  watch.heard(at(10s), 5s);
  EXPECT_EQ(refreshes(watch, 10, 31), (std::vector<int>{16, 21, 26, 31}));
}

TEST(QuerierWatchTest, querier_is_absent_after_260_seconds_and_back_when_heard) {
  QuerierWatch watch(at(0s));
  EXPECT_FALSE(watch.absent(at(259s)));
  EXPECT_TRUE(watch.absent(at(260s)));
  watch.heard(at(300s), 125s);
  EXPECT_FALSE(watch.absent(at(301s)));
}

TEST(QuerierWatchTest, pause_of_the_control_thread_does_not_count) {
  QuerierWatch watch(at(0s));
  watch.pardon(100s);
  EXPECT_FALSE(watch.absent(at(300s)));
  EXPECT_TRUE(watch.absent(at(360s)));
}

}  // namespace
}  // namespace castgate
