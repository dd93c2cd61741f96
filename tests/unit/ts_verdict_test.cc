// SPDX-License-Identifier: Apache-2.0
// Verdicts on MPEG-TS, by rules of ISO/IEC 13818-1 2.4.3 and TR 101 290.
#include "dataplane/base/verdict/ts_verdict.h"

#include <vector>

#include <gtest/gtest.h>

#include "dataplane/base/verdict/stream_verdict.h"
#include "tests/support/packets.h"

namespace castgate {
namespace {

using test::Bytes;
using Turn = TsVerdict::Turn;

struct Ts {
  unsigned pid = 256;
  unsigned counter = 0;
  bool error = false;
  bool payload = true;
  bool discontinuity = false;
  std::int64_t pcr = -1;  // 27 MHz

  Bytes bytes() const {
    const bool adaptation = discontinuity || pcr >= 0 || !payload;
    Bytes made{0x47, static_cast<std::uint8_t>((error ? 0x80u : 0u) | pid >> 8),
               static_cast<std::uint8_t>(pid),
               static_cast<std::uint8_t>((adaptation ? 0x20u : 0u) | (payload ? 0x10u : 0u) |
                                         (counter & 15))};
    if (adaptation) {
      const auto clock = static_cast<std::uint64_t>(pcr < 0 ? 0 : pcr);
      const std::uint64_t bits = clock / 300 << 15 | 0x3full << 9 | clock % 300;
      made.push_back(payload ? 7 : 183);
      made.push_back(
          static_cast<std::uint8_t>((discontinuity ? 0x80u : 0u) | (pcr >= 0 ? 0x10u : 0u)));
      for (int shift = 40; shift >= 0; shift -= 8) {
        made.push_back(static_cast<std::uint8_t>(bits >> shift));
      }
    }
    made.resize(TsVerdict::kPacket, 0xff);
    return made;
  }
};

class TsVerdictTest : public testing::Test {
 protected:
  Grade judge(const std::vector<Ts>& packets, Turn turn = Turn::Next) {
    Bytes all;
    for (const Ts& packet : packets) test::append(all, packet.bytes());
    return judge_bytes(all, turn);
  }
  Grade judge_bytes(const Bytes& all, Turn turn = Turn::Next) {
    return verdict_->judge(reinterpret_cast<const std::byte*>(all.data()), all.size(), turn);
  }
  const TsFaults& faults() const { return verdict_->faults(); }
  std::unique_ptr<TsVerdict> verdict_ = std::make_unique<TsVerdict>();
};

TEST_F(TsVerdictTest, counters_of_several_pids_run_apart_from_each_other) {
  for (unsigned n = 0; n < 100; ++n) {
    EXPECT_EQ(judge({{.counter = 2 * n}, {.pid = 17, .counter = n}, {.counter = 2 * n + 1}}),
              Grade::Good);
  }
  EXPECT_EQ(faults().continuity, 0);
}

TEST_F(TsVerdictTest, jump_of_a_counter_degrades_its_datagram_alone) {
  EXPECT_EQ(judge({{.counter = 0}, {.counter = 1}}), Grade::Good);
  EXPECT_EQ(judge({{.counter = 3}}), Grade::Degraded);
  EXPECT_EQ(judge({{.counter = 4}}), Grade::Good);
  EXPECT_EQ(faults().continuity, 1);
}

TEST_F(TsVerdictTest, packet_may_come_twice_and_not_three_times) {
  EXPECT_EQ(judge({{.counter = 5}, {.counter = 5}}), Grade::Good);
  EXPECT_EQ(judge({{.counter = 6}}), Grade::Good);
  EXPECT_EQ(judge({{.counter = 6}, {.counter = 6}}), Grade::Degraded);
}

TEST_F(TsVerdictTest, counter_stands_still_without_a_payload) {
  EXPECT_EQ(judge({{.counter = 5}, {.counter = 5, .payload = false}, {.counter = 6}}), Grade::Good);
  EXPECT_EQ(faults().continuity, 0);
}

TEST_F(TsVerdictTest, announced_discontinuity_and_null_packets_are_no_faults) {
  EXPECT_EQ(judge({{.counter = 5}, {.counter = 11, .discontinuity = true}}), Grade::Good);
  EXPECT_EQ(judge({{.counter = 12}}), Grade::Good);
  EXPECT_EQ(judge({{.pid = 0x1fff, .counter = 3}, {.pid = 0x1fff, .counter = 9}}), Grade::Good);
}

TEST_F(TsVerdictTest, jump_behind_a_loss_of_the_leg_is_no_fault_of_the_datagram) {
  EXPECT_EQ(judge({{.counter = 0}}), Grade::Good);
  EXPECT_EQ(judge({{.counter = 9}}, Turn::Skipped), Grade::Good);
  EXPECT_EQ(judge({{.counter = 3}}, Turn::Old), Grade::Good) << "late, and of no consequence";
  EXPECT_EQ(judge({{.counter = 10}}), Grade::Good);
  EXPECT_EQ(faults().continuity, 0);
}

TEST_F(TsVerdictTest, what_was_learnt_is_forgotten_after_each_of_many_losses) {
  for (unsigned n = 0; n < 5'000; ++n) {
    ASSERT_EQ(judge({{.counter = 7 * n}}, Turn::Skipped), Grade::Good) << n;
    ASSERT_EQ(judge({{.counter = 7 * n + 2}}), Grade::Degraded) << n;
  }
}

TEST_F(TsVerdictTest, transport_error_degrades_and_its_counter_is_not_believed) {
  EXPECT_EQ(judge({{.counter = 0}, {.counter = 9, .error = true}}), Grade::Degraded);
  EXPECT_EQ(judge({{.counter = 2}}), Grade::Good);
  EXPECT_EQ(judge({{.counter = 1, .error = true}}, Turn::Old), Grade::Degraded);
  EXPECT_EQ(faults().transport_error, 1) << "late ones are not counted";
  EXPECT_EQ(faults().continuity, 0);
}

TEST_F(TsVerdictTest, what_is_not_whole_packets_is_corrupt) {
  Bytes whole = Ts{}.bytes();
  test::append(whole, Ts{.counter = 1}.bytes());
  EXPECT_EQ(judge_bytes(Bytes(whole.begin(), whole.end() - 1)), Grade::Corrupt);
  EXPECT_EQ(judge_bytes({}), Grade::Corrupt);
  whole[188] = 0x48;
  EXPECT_EQ(judge_bytes(whole), Grade::Corrupt);
  EXPECT_EQ(faults().sync, 3);
}

TEST_F(TsVerdictTest, pcr_may_go_forward_by_100_ms_and_wraps) {
  constexpr std::int64_t kWrap = (1ll << 33) * 300;
  EXPECT_EQ(judge({{.counter = 0, .pcr = kWrap - 1'000'000}}), Grade::Good);
  EXPECT_EQ(judge({{.counter = 1, .pcr = 1'700'000}}), Grade::Good) << "2.7 million ticks";
  EXPECT_EQ(judge({{.counter = 2, .pcr = 1'700'000 + 2'700'001}}), Grade::Degraded);
  EXPECT_EQ(judge({{.counter = 3, .pcr = 1'700'000}}), Grade::Degraded) << "back";
  EXPECT_EQ(judge({{.counter = 4, .discontinuity = true, .pcr = 9}}), Grade::Good);
  EXPECT_EQ(judge({{.pid = 99, .counter = 0, .pcr = 900'000'000}}), Grade::Good) << "another's";
  EXPECT_EQ(faults().pcr, 2);
}

Bytes rtp_with(unsigned first, const Bytes& behind) {
  Bytes made{static_cast<std::uint8_t>(first), 33, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7};
  test::append(made, behind);
  return made;
}

std::size_t payload_of(const Bytes& packet) {
  const auto* bytes = reinterpret_cast<const std::byte*>(packet.data());
  return rtp_payload({bytes, packet.size()}).size();
}

TEST_F(TsVerdictTest, rtp_payload_lies_behind_sources_and_extension_and_before_padding) {
  EXPECT_EQ(payload_of(rtp_with(0x80, Bytes(188))), 188);
  EXPECT_EQ(payload_of(rtp_with(0x82, Bytes(8 + 188))), 188);
  Bytes extended{0xbe, 0xde, 0, 1, 1, 2, 3, 4};
  test::append(extended, Bytes(188));
  EXPECT_EQ(payload_of(rtp_with(0x90, extended)), 188);
  Bytes padded(188 + 4);
  padded.back() = 4;
  EXPECT_EQ(payload_of(rtp_with(0xa0, padded)), 188);
  padded.back() = 200;
  EXPECT_EQ(payload_of(rtp_with(0xa0, padded)), 0) << "more padding than bytes";
  EXPECT_EQ(payload_of(rtp_with(0x90, Bytes{0, 0, 1, 0})), 0) << "longer than the packet";
}

TEST_F(TsVerdictTest, stream_follows_each_leg_by_its_own_numbers) {
  StreamVerdict stream({.mpeg_ts = true, .legs = 2});
  const auto give = [&](unsigned leg, std::uint64_t raw, unsigned counter) {
    const Bytes packet = rtp_with(0x80, Ts{.counter = counter}.bytes());
    const auto* bytes = reinterpret_cast<const std::byte*>(packet.data());
    return stream.judge(leg, {bytes, packet.size()}, {raw, 7});
  };
  EXPECT_EQ(give(0, 65534, 0), Grade::Good);
  EXPECT_EQ(give(0, 65535, 1), Grade::Good);
  EXPECT_EQ(give(0, 0, 3), Grade::Degraded) << "nothing was lost between";
  EXPECT_EQ(give(0, 2, 9), Grade::Good) << "1 was lost";
  EXPECT_EQ(give(0, 1, 8), Grade::Good) << "late";
  EXPECT_EQ(give(0, 3, 10), Grade::Good);
  EXPECT_EQ(give(1, 9, 3), Grade::Good);
  EXPECT_EQ(stream.faults(0).continuity, 1);
  EXPECT_EQ(stream.faults(1).continuity, 0);
}

}  // namespace
}  // namespace castgate
