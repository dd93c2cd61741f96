// SPDX-License-Identifier: Apache-2.0
#include "dataplane/transmit/transmit_stage.h"

#include <algorithm>
#include <numeric>
#include <random>

#include "tests/support/fake_port.h"
#include "tests/support/quiet_eal.h"

namespace castgate {
namespace {

class TransmitStageTest : public test::DriverTest {
 protected:
  void TearDown() override {
    stage_.drain();
    DriverTest::TearDown();
  }
  // Packets of one byte, numbered.
  void add(unsigned port, unsigned first, unsigned count) {
    for (unsigned i = 0; i < count; ++i) {
      rte_mbuf* packet =
          test::one_segment(pool(), test::Bytes{static_cast<std::uint8_t>(first + i)});
      ASSERT_NE(packet, nullptr);
      stage_.add(port, packet);
    }
  }
  static test::Bytes numbers(const test::FakePort& port) {
    test::Bytes all;
    for (const test::Bytes& frame : port.sent) all.push_back(frame.at(0));
    return all;
  }

  std::array<test::FakePort, 2> ports_;
  TransmitStage stage_{{&ports_[0], &ports_[1]}, {0, 0}};
};

// Two workers at a port that may carry a megabyte a second.
class PortCapTest : public test::DriverTest {
 protected:
  static constexpr std::size_t kBytes = 1000;  // of an IP packet

  rte_mbuf* packet(bool tagged = false) {
    test::Bytes bytes((tagged ? 18 : 14) + kBytes);
    bytes[12] = tagged ? 0x81 : 0x08;
    return test::one_segment(pool(), bytes);
  }
  // `count` to each worker at the time `at`, two turns of them.
  void offer(unsigned count, Instant at, bool tagged = false) {
    for (TransmitStage* worker : {&first_, &second_}) {
      worker->set_time(at);
      for (unsigned i = 0; i < count; ++i) worker->add(0, packet(tagged));
      worker->flush();
      worker->flush();
    }
  }
  std::uint64_t over() const { return first_.over_rate(0) + second_.over_rate(0); }

  test::FakePort port_;
  PortCap cap_{8'000'000};
  TransmitStage first_{{&port_}, {0}, {&cap_}};
  TransmitStage second_{{&port_}, {0}, {&cap_}};
};

TEST_F(PortCapTest, all_workers_of_a_port_send_its_rate_together) {
  const Instant start{7'000'000'000};
  for (unsigned ms = 0; ms < 1000; ++ms) {
    offer(2, start + std::chrono::milliseconds(ms), ms % 2 == 0);  // four times what it may
  }
  // A packet a millisecond, a hundred of before, and one that began while there was a little left.
  EXPECT_GE(port_.sent.size(), 1099u);
  EXPECT_LE(port_.sent.size(), 1102u);
  EXPECT_EQ(port_.sent.size() + over(), 4000u);
  EXPECT_EQ(first_.refused(0) + second_.refused(0), 0u);
  EXPECT_EQ(first_.waiting() + second_.waiting(), 0u);
  EXPECT_GT(second_.sent(0), 0u);
}

TEST_F(PortCapTest, time_without_packets_is_saved_up_for_a_tenth_of_a_second) {
  offer(100, Instant{7'000'000'000});
  const std::size_t before = port_.sent.size();
  offer(100, Instant{60'000'000'000});
  EXPECT_EQ(before, 101u);
  EXPECT_EQ(port_.sent.size() - before, 101u);
}

TEST_F(PortCapTest, frames_of_the_host_stack_pass_a_port_that_is_full) {
  offer(100, Instant{7'000'000'000});
  const std::size_t before = port_.sent.size();
  first_.add_ahead(0, packet());
  EXPECT_EQ(port_.sent.size(), before + 1);
  port_.accepts = 0;
  first_.add_ahead(0, packet());
  EXPECT_EQ(first_.refused(0), 1u);
}

TEST_F(PortCapTest, driver_that_refuses_costs_nothing_of_the_rate) {
  port_.accepts = 0;
  offer(100, Instant{7'000'000'000});
  EXPECT_EQ(first_.refused(0) + second_.refused(0), 200u);
  port_.accepts = UINT64_MAX;
  offer(100, Instant{7'000'000'000});
  EXPECT_EQ(port_.sent.size(), 101u);
}

TEST_F(TransmitStageTest, packets_leave_in_order_by_their_port) {
  add(0, 0, 3);
  add(1, 10, 2);
  stage_.flush();
  EXPECT_EQ(numbers(ports_[0]), (test::Bytes{0, 1, 2}));
  EXPECT_EQ(numbers(ports_[1]), (test::Bytes{10, 11}));
  EXPECT_EQ(stage_.sent(0), 3u);
  EXPECT_EQ(stage_.sent(1), 2u);
  EXPECT_EQ(stage_.waiting(), 0u);
}

TEST_F(TransmitStageTest, what_a_driver_refuses_once_leaves_in_the_next_turn_before_the_new) {
  ports_[0].accepts = 2;
  add(0, 0, 4);
  stage_.flush();
  EXPECT_EQ(stage_.waiting(), 2u);
  ports_[0].accepts = 100;
  add(0, 4, 2);
  stage_.flush();
  EXPECT_EQ(numbers(ports_[0]), (test::Bytes{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(stage_.refused(0), 0u);
}

TEST_F(TransmitStageTest, what_a_driver_refuses_twice_is_dropped_and_the_new_gets_its_second_try) {
  ports_[0].accepts = 0;
  add(0, 0, 2);
  stage_.flush();
  add(0, 2, 2);
  stage_.flush();
  EXPECT_EQ(stage_.refused(0), 2u);
  EXPECT_EQ(stage_.waiting(), 2u);
  ports_[0].accepts = 100;
  stage_.flush();
  EXPECT_EQ(numbers(ports_[0]), (test::Bytes{2, 3}));
}

TEST_F(TransmitStageTest, driver_that_takes_one_at_a_time_drops_only_what_was_offered_twice) {
  ports_[0].accepts = 0;
  add(0, 0, 3);
  stage_.flush();
  ports_[0].accepts = 1;
  add(0, 3, 2);
  stage_.flush();  // 0 leaves, 1 and 2 had their second offer, 3 and 4 their first
  EXPECT_EQ(stage_.refused(0), 2u);
  ports_[0].accepts = 100;
  stage_.flush();
  EXPECT_EQ(numbers(ports_[0]), (test::Bytes{0, 3, 4}));
}

TEST_F(TransmitStageTest, whatever_is_gathered_for_one_offer_waits_for_a_second) {
  for (unsigned packets = 1; packets < 64; ++packets) {
    ports_[0].sent.clear();
    ports_[0].accepts = 0;
    add(0, 0, packets);
    stage_.flush();
    ports_[0].accepts = 1000;
    stage_.flush();
    ASSERT_EQ(ports_[0].sent.size(), packets);
    ASSERT_EQ(stage_.refused(0), 0u);
  }
}

// The 64th packet is an offer in the middle of the turn; those after it are the next.
TEST_F(TransmitStageTest, turn_of_many_offers_drops_only_what_was_in_two) {
  ports_[0].accepts = 0;
  add(0, 0, 127);
  EXPECT_EQ(stage_.refused(0), 0u);
  EXPECT_EQ(stage_.waiting(), 127u);
  add(0, 127, 1);
  EXPECT_EQ(stage_.refused(0), 64u);
  ports_[0].accepts = 100;
  stage_.flush();
  test::Bytes left(64);
  std::iota(left.begin(), left.end(), std::uint8_t{64});
  EXPECT_EQ(numbers(ports_[0]), left);
}

TEST_F(TransmitStageTest, link_that_comes_back_in_time_loses_nothing) {
  ports_[0].accepts = 0;
  ports_[0].up = false;
  add(0, 0, 5);
  stage_.flush();
  ports_[0].accepts = 100;
  ports_[0].up = true;
  add(0, 5, 1);
  stage_.flush();
  EXPECT_EQ(numbers(ports_[0]), (test::Bytes{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(stage_.without_link(0), 0u);
}

// Whatever a driver does, a packet is sent or counted, in order.
TEST_F(TransmitStageTest, moody_driver_keeps_order_and_the_sum) {
  std::mt19937_64 random(7);
  std::uint64_t given = 0;
  for (unsigned turn = 0; turn < 5'000; ++turn) {
    ports_[0].up = random() % 4 != 0;
    ports_[0].accepts = ports_[0].up ? random() % 80 : 0;
    const auto count = static_cast<unsigned>(random() % 50);
    for (unsigned i = 0; i < count; ++i, ++given) {
      test::Bytes number;
      test::put32(number, static_cast<std::uint32_t>(given));
      stage_.add(0, test::one_segment(pool(), number));
    }
    stage_.flush();
    ASSERT_EQ(stage_.sent(0) + stage_.refused(0) + stage_.without_link(0) + stage_.waiting(),
              given);
    ASSERT_EQ(stage_.sent(0), ports_[0].sent.size());
  }
  EXPECT_TRUE(std::ranges::is_sorted(ports_[0].sent, std::less{}));
  EXPECT_GT(stage_.sent(0), given / 10);
  EXPECT_GT(stage_.refused(0), 0u);
  EXPECT_GT(stage_.without_link(0), 0u);
}

TEST_F(TransmitStageTest, stuck_port_neither_fills_memory_nor_stops_the_other) {
  ports_[0].accepts = 0;
  for (unsigned turn = 0; turn < 100; ++turn) {
    add(0, 0, 150);
    add(1, turn, 1);
    stage_.flush();
  }
  EXPECT_LE(stage_.waiting(), 64u);
  EXPECT_EQ(stage_.refused(0) + stage_.waiting(), 15'000u);
  EXPECT_EQ(ports_[1].sent.size(), 100u);
}

TEST_F(TransmitStageTest, port_without_a_link_drops_by_that_name) {
  ports_[0].accepts = 0;
  ports_[0].up = false;
  add(0, 0, 5);
  stage_.flush();
  stage_.flush();
  EXPECT_EQ(stage_.without_link(0), 5u);
  EXPECT_EQ(stage_.refused(0), 0u);
}

TEST_F(TransmitStageTest, drain_leaves_nothing_behind) {
  ports_[0].accepts = 3;
  add(0, 0, 10);
  stage_.drain();
  EXPECT_EQ(stage_.sent(0), 3u);
  EXPECT_EQ(stage_.refused(0), 7u);
  EXPECT_EQ(stage_.waiting(), 0u);
}

}  // namespace
}  // namespace castgate
