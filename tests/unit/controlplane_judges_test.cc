// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "controlplane/alarms/stream_judge.h"

namespace castgate {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kMillisecondNs = 1'000'000;

// news1 of legs A and B, at 1000 positions a second, as a test changes it.
class JudgeTest : public testing::Test {
 protected:
  JudgeTest() {
    spec_.name = "news1";
    for (const char* name : {"A", "B"}) {
      LegSpec& leg = spec_.legs.emplace_back();
      leg.name = name;
      leg.to = *Endpoint::parse("239.1.0.1:5000");
      before_.legs.emplace_back().name = name;
      before_.legs.back().state = LegState::Up;
      before_.legs.back().packets = 5000;
    }
    before_.forwarded = 5000;
    before_.redundant = 5000;
  }

  // What happens in `span` when both legs are whole.
  void flow(Nanoseconds span) {
    span_ = span;
    after_ = before_;
    positions_ = static_cast<std::uint64_t>(span / 1ms);
    after_.forwarded += positions_;
    for (LegSnapshot& leg : after_.legs) leg.packets += positions_;
  }
  // Leg B brings only `count` packets, and knows of what it lost.
  void leg_b_brings(std::uint64_t count) {
    after_.legs[1].packets = before_.legs[1].packets + count;
    if (count != 0) after_.legs[1].lost = before_.legs[1].lost + positions_ - count;
  }
  void skew(StreamSnapshot& stream, std::uint64_t leg_b_ns, std::uint32_t count) {
    stream.legs[0].skew.add(0, count);
    stream.legs[1].skew.add(leg_b_ns, count);
  }

  StreamStretch stretch() const { return {spec_, before_, after_, span_}; }
  static std::string text(const Findings& found) {
    std::string all;
    for (const Finding& one : found) all += one.of.to_string() + ": " + one.text + "\n";
    return all;
  }

  StreamSpec spec_;
  StreamSnapshot before_;
  StreamSnapshot after_;
  Nanoseconds span_{0};
  std::uint64_t positions_ = 0;
};

TEST_F(JudgeTest, leg_that_brings_nothing_under_a_whole_output_is_a_latent_error) {
  flow(2s);
  leg_b_brings(0);
  EXPECT_EQ(text(find_latent_errors(stretch())),
            "news1/B: stream news1: leg B brought nothing for 2.0 s; the output is whole, but "
            "without this leg the next fault is heard: look for 239.1.0.1:5000\n");
}

TEST_F(JudgeTest, whole_legs_are_no_latent_error) {
  flow(2s);
  EXPECT_EQ(text(find_latent_errors(stretch())), "");
}

TEST_F(JudgeTest, difference_is_allowed_up_to_the_key_and_what_is_under_way) {
  flow(2s);  // 2000 positions, of which 10 % and 10 ms may be missing
  leg_b_brings(2000 - 200 - 10);
  EXPECT_EQ(text(find_latent_errors(stretch())), "");
  leg_b_brings(2000 - 200 - 11);
  EXPECT_NE(text(find_latent_errors(stretch())).find("brought 89.5 % of the positions"),
            std::string::npos);
  spec_.monitor.latent_error_difference_ppm = 200'000;
  EXPECT_EQ(text(find_latent_errors(stretch())), "");
}

TEST_F(JudgeTest, copies_that_come_too_late_were_not_brought) {
  flow(2s);
  after_.legs[1].late_after_release = 1500;
  EXPECT_NE(text(find_latent_errors(stretch())), "");
}

TEST_F(JudgeTest, output_with_holes_is_no_latent_error) {
  flow(2s);
  leg_b_brings(1000);
  after_.forwarded -= 1000;
  after_.unrecovered += 1000;
  EXPECT_EQ(text(find_latent_errors(stretch())), "");
}

TEST_F(JudgeTest, leg_of_a_few_positions_is_not_judged) {
  flow(7ms);
  leg_b_brings(0);
  EXPECT_FALSE(tells_latent_errors(stretch()));
  EXPECT_EQ(text(find_latent_errors(stretch())), "");
  flow(16ms);
  EXPECT_TRUE(tells_latent_errors(stretch()));
}

TEST_F(JudgeTest, lone_leg_has_nothing_to_be_compared_with) {
  flow(2s);
  for (StreamSnapshot* one : {&before_, &after_}) one->legs.pop_back();
  spec_.legs.pop_back();
  after_.legs[0].packets = before_.legs[0].packets;
  EXPECT_EQ(text(find_latent_errors(stretch())), "");
}

TEST_F(JudgeTest, packets_of_several_messages_are_judged_by_what_was_lost) {
  spec_.sequence.format = SequenceFormat::Moldudp64;
  flow(2s);
  after_.legs[1].packets = before_.legs[1].packets + 200;  // ten messages each
  EXPECT_EQ(text(find_latent_errors(stretch())), "");
  after_.legs[1].lost += 500;
  EXPECT_NE(text(find_latent_errors(stretch())).find("brought 75.0 %"), std::string::npos);
  leg_b_brings(0);
  EXPECT_NE(text(find_latent_errors(stretch())).find("brought nothing"), std::string::npos);
}

TEST_F(JudgeTest, latent_period_is_four_times_the_hold_at_least) {
  EXPECT_EQ(latent_period(spec_), 2s);
  spec_.failover.max_skew = 800ms;
  EXPECT_EQ(latent_period(spec_), 3200ms);
}

TEST_F(JudgeTest, leg_beyond_max_skew_names_the_leg_and_the_value_to_set) {
  skew(before_, 3 * kMillisecondNs, 100);
  flow(1s);
  skew(after_, 14'200'000, 16);
  EXPECT_EQ(text(find_path_differentials(stretch())),
            "news1/B: stream news1: leg B is 14.2 ms behind A; set failover.max_skew: 18ms\n");
}

TEST_F(JudgeTest, leg_within_max_skew_is_no_finding) {
  flow(1s);
  skew(after_, 9'900'000, 16);
  EXPECT_EQ(text(find_path_differentials(stretch())), "");
}

TEST_F(JudgeTest, skew_of_the_past_is_not_found_again) {
  skew(before_, 30 * kMillisecondNs, 5);
  flow(1s);
  skew(after_, 4 * kMillisecondNs, 16);
  EXPECT_EQ(text(find_path_differentials(stretch())), "");
}

TEST_F(JudgeTest, playout_names_its_own_key) {
  spec_.failover.release = Release::Playout;
  spec_.failover.playout_delay = 20ms;
  flow(1s);
  skew(after_, 14 * kMillisecondNs, 16);
  EXPECT_EQ(text(find_path_differentials(stretch())), "");
  skew(after_, 100 * kMillisecondNs, 1);
  EXPECT_NE(text(find_path_differentials(stretch())).find("set failover.playout_delay: 130ms"),
            std::string::npos)
      << text(find_path_differentials(stretch()));
}

TEST_F(JudgeTest, late_packets_within_the_skew_are_reordering) {
  flow(1s);
  skew(after_, 4 * kMillisecondNs, 16);
  after_.legs[1].late_after_release += 3;
  EXPECT_EQ(text(find_path_differentials(stretch())),
            "news1/B: stream news1: 3 packets of leg B came after their positions were given up; "
            "raise failover.reorder_depth, now 3, where the leg reorders, else failover.max_skew, "
            "now 10ms\n");
}

TEST_F(JudgeTest, leg_that_loses_more_than_allowed_is_degraded) {
  flow(10s);  // 10000 positions, of which 10 are allowed
  leg_b_brings(9989);
  EXPECT_EQ(text(find_degraded_legs(stretch())),
            "news1/B: stream news1: leg B lost 11 of 10000 positions in 10.0 s, 0.11 %; more than "
            "0.1 % is degraded: look at the path of 239.1.0.1:5000\n");
  leg_b_brings(9990);
  EXPECT_EQ(text(find_degraded_legs(stretch())), "");
}

TEST_F(JudgeTest, packets_that_cannot_be_encrypted_are_more_than_a_stray_one) {
  flow(10s);  // 10000 positions, of which 10 are allowed
  after_.not_sealed = before_.not_sealed + 10;
  EXPECT_EQ(text(find_not_sealed(stretch())), "");
  after_.not_sealed = before_.not_sealed + 11;
  EXPECT_EQ(text(find_not_sealed(stretch())),
            "news1: stream news1: 11 packets could not be encrypted in 10.0 s and were dropped; "
            "castgate show ports says why: where it is key_spent, append a key to key_file and "
            "reload\n");
  flow(10ms);
  after_.not_sealed = before_.not_sealed + 1;
  EXPECT_EQ(text(find_not_sealed(stretch())), "");
}

TEST_F(JudgeTest, one_lost_packet_of_a_slow_stream_is_no_ratio) {
  flow(100ms);
  leg_b_brings(99);
  EXPECT_EQ(text(find_degraded_legs(stretch())), "");
  leg_b_brings(98);
  EXPECT_NE(text(find_degraded_legs(stretch())), "");
}

TEST_F(JudgeTest, leg_that_comes_back_is_not_degraded_by_what_it_missed_away) {
  flow(1s);
  after_.legs[1].lost += 60'000;
  after_.legs[1].state_changes = 2;
  EXPECT_EQ(text(find_degraded_legs(stretch())), "");
  after_.legs[1].state_changes = 0;
  before_.legs[1].state = LegState::Silent;
  EXPECT_EQ(text(find_degraded_legs(stretch())), "");
}

TEST_F(JudgeTest, legs_whose_bytes_differ_are_found_by_a_counter_of_that_name) {
  flow(1s);
  EXPECT_EQ(text(find_content_mismatches(stretch(), "malformed")), "");
  after_.legs[1].malformed = 4;
  EXPECT_EQ(text(find_content_mismatches(stretch(), "malformed"))
                .find("news1/B: stream news1: 4 packets of leg B differ from another leg's"),
            0u);
  EXPECT_EQ(text(find_content_mismatches(stretch(), "no_such_counter")), "");
}

TEST_F(JudgeTest, silent_and_diverged_legs_are_found_by_their_state) {
  flow(1s);
  EXPECT_EQ(text(find_silent_legs(stretch())) + text(find_diverged_legs(stretch())), "");
  after_.legs[1].state = LegState::Silent;
  EXPECT_EQ(text(find_silent_legs(stretch())).find("news1/B: stream news1: leg B is silent"), 0u);
  after_.legs[1].state = LegState::Diverged;
  EXPECT_EQ(text(find_silent_legs(stretch())), "");
  EXPECT_EQ(text(find_diverged_legs(stretch())).find("news1/B: stream news1: leg B carries"), 0u);
}

TEST_F(JudgeTest, leg_that_learns_its_offset_for_a_second_matches_nothing) {
  flow(1s);
  after_.legs[1].state = LegState::Learning;
  EXPECT_EQ(text(find_unknown_offsets(stretch())), "");  // it may have begun just now
  before_.legs[1].state = LegState::Learning;
  EXPECT_EQ(text(find_unknown_offsets(stretch()))
                .find("news1/B: stream news1: the offset of leg B cannot be learnt"),
            0u);
}

TEST_F(JudgeTest, leg_that_never_came_is_silent_once_the_stream_goes_on) {
  before_.legs[1].state = LegState::Waiting;
  before_.forwarded = 0;
  flow(1s);
  EXPECT_EQ(text(find_silent_legs(stretch())), "");
  before_.forwarded = 1;
  EXPECT_NE(text(find_silent_legs(stretch())), "");
}

TEST_F(JudgeTest, stream_without_any_packet_is_down_after_its_time) {
  EXPECT_EQ(text(find_all_down(spec_, 2999ms, true)), "");
  EXPECT_EQ(text(find_all_down(spec_, 3s, true)),
            "news1: stream news1: no leg brought a packet for 3 s; look at the source, and for A "
            "239.1.0.1:5000, B 239.1.0.1:5000\n");
  EXPECT_NE(text(find_all_down(spec_, 60s, false)).find("was ever heard for 60 s"),
            std::string::npos);
}

}  // namespace
}  // namespace castgate
