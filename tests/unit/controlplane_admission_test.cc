// SPDX-License-Identifier: Apache-2.0
// Declared rates against what a port takes.
#include <gtest/gtest.h>

#include "controlplane/clients/admission.h"

namespace castgate {
namespace {

constexpr std::uint64_t kMega = 1'000'000;

// 100 Mbps; a stream of 20 Mbps to a group and to clients, and one that declares nothing.
Spec spec() {
  Spec made;
  made.ports.resize(2);
  made.ports[1].name = "out";
  made.ports[1].max_rate_bps = 100 * kMega;
  StreamSpec& news = made.streams.emplace_back();
  news.name = "news";
  news.max_bitrate_bps = 20 * kMega;
  news.outputs.emplace_back().port = 1;
  news.unicasts.push_back({.name = "homes", .port = 1});
  news.unicasts.push_back({.name = "thin", .port = 1, .max_rate_bps = 5 * kMega});
  news.unicasts.push_back({.name = "else", .port = 0});
  StreamSpec& other = made.streams.emplace_back();
  other.name = "other";
  other.unicasts.push_back({.name = "homes", .port = 1});
  return made;
}

constexpr ClientRoute kHomes{.stream = 0, .unicast = 0};
constexpr ClientRoute kThin{.stream = 0, .unicast = 1};
constexpr ClientRoute kElse{.stream = 0, .unicast = 2};
constexpr ClientRoute kOther{.stream = 1, .unicast = 0};

TEST(AdmissionTest, clients_join_until_the_port_is_full_and_again_when_one_leaves) {
  const Spec running = spec();
  Admission admission(running);
  EXPECT_EQ(admission.declared(1), 20 * kMega);  // the group's
  for (unsigned n = 0; n < 4; ++n) {
    ASSERT_TRUE(admission.may_join(running, kHomes)) << n;
    admission.joined(running, kHomes);
  }
  EXPECT_EQ(admission.declared(1), 100 * kMega);
  const auto refused = admission.may_join(running, kHomes);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().text,
            "port out is full: 100Mbps of its 100Mbps (max_rate) are declared, and a client of "
            "news takes 20Mbps; let others leave, or take a port that has room");
  admission.left(running, kHomes);
  EXPECT_TRUE(admission.may_join(running, kHomes));
}

TEST(AdmissionTest, a_limit_of_the_output_is_what_a_client_takes) {
  const Spec running = spec();
  Admission admission(running);
  EXPECT_EQ(rate_of_client(running, kThin), 5 * kMega);
  for (unsigned n = 0; n < 16; ++n) admission.joined(running, kThin);
  EXPECT_FALSE(admission.may_join(running, kThin));
  EXPECT_FALSE(admission.may_join(running, kHomes));
}

TEST(AdmissionTest, nothing_is_held_against_a_port_or_a_stream_that_says_nothing) {
  const Spec running = spec();
  Admission admission(running);
  for (unsigned n = 0; n < 1'000; ++n) admission.joined(running, kElse);
  EXPECT_TRUE(admission.may_join(running, kElse));
  for (unsigned n = 0; n < 4; ++n) admission.joined(running, kHomes);
  EXPECT_TRUE(admission.may_join(running, kOther));
  EXPECT_EQ(rate_of_client(running, kOther), 0u);
}

}  // namespace
}  // namespace castgate
