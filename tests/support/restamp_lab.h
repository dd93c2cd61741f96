// SPDX-License-Identifier: Apache-2.0
// Streams that are restamped, from received frames to frames that left.
#pragma once

#include <gtest/gtest.h>

#include "tests/support/one_worker.h"

namespace castgate::test {

inline constexpr std::uint32_t kOwn = 0xca57ca57;
inline constexpr std::size_t kPayload = 42;  // where it begins in a frame that leaves
inline constexpr Nanoseconds kStep{1'000'000};
inline constexpr std::uint32_t kTicks = 90;  // in one step

inline Bytes rtp_packet(unsigned sequence, std::uint32_t timestamp, std::uint32_t ssrc,
                        const Bytes& body) {
  Bytes made{0x80, 33};
  put16(made, sequence & 0xffff);
  put32(made, timestamp);
  put32(made, ssrc);
  append(made, body);
  return made;
}

inline std::uint32_t get32(const Bytes& in, std::size_t at) {
  return std::uint32_t{get16(in, at)} << 16 | get16(in, at + 2);
}

// Of an untagged IPv4 frame without options; both checksums and both lengths must be right.
inline Bytes payload_of(const Bytes& frame) {
  const Bytes ip(frame.begin() + 14, frame.begin() + 34);
  EXPECT_EQ(slow_checksum(ip), 0);
  EXPECT_EQ(get16(frame, 16), frame.size() - 14);
  EXPECT_EQ(get16(frame, 38), frame.size() - 34);
  Bytes summed(frame.begin() + 26, frame.begin() + 34);
  put16(summed, 17);
  put16(summed, get16(frame, 38));
  summed.insert(summed.end(), frame.begin() + 34, frame.end());
  EXPECT_EQ(slow_checksum(summed), 0);
  return {frame.begin() + kPayload, frame.end()};
}

// Two streams on a worker; the first one is spliced.
class RestampTest : public DriverTest {
 protected:
  RestampTest() {
    spec.ports.resize(1);
    for (const char* to : {"239.1.0.1:5000", "239.1.0.2:5000"}) {
      StreamSpec stream;
      stream.name = to;
      stream.legs.resize(1);
      stream.legs[0].to = Endpoint::parse(to).value();
      stream.outputs.resize(1);
      stream.outputs[0].to = Endpoint::parse("239.9.0.1:6000").value();
      stream.outputs[0].source = IpAddress::parse("10.0.0.9").value();
      spec.streams.push_back(stream);
    }
    spliced().failover.continuity = Continuity::Splice;
    spliced().restamp.ssrc = kOwn;
  }
  StreamSpec& spliced() { return spec.streams[0]; }

  void add_leg(const char* to) {
    LegSpec leg;
    leg.to = Endpoint::parse(to).value();
    spliced().legs.push_back(leg);
  }
  // One packet, `kStep` after the one before.
  static void send(OneWorker& worker, const Bytes& payload, const Bytes& group = {239, 1, 0, 1}) {
    worker.now = worker.now + kStep - Nanoseconds{1'000};  // which receive() adds
    Frame frame;
    frame.destination = group;
    frame.to_mac = {1, 0, 0x5e, group[1], group[2], group[3]};
    frame.payload = payload;
    worker.receive(frame.bytes());
  }
  static void wait(OneWorker& worker, unsigned steps) {
    for (unsigned i = 0; i < steps; ++i) {
      worker.now = worker.now + kStep;
      if (worker.pipeline->next_deadline() <= worker.now) worker.pipeline->tick(worker.now);
      worker.pipeline->flush();
    }
  }
  // What has left is one numbering without a hole, of our SSRC; from place to place it takes a
  // step, and `pause` more steps before each hundredth.
  static void expect_one_numbering(const OneWorker& worker, unsigned sequence,
                                   std::uint32_t timestamp, unsigned pause) {
    for (std::size_t i = 0; i < worker.port.sent.size(); ++i) {
      const Bytes got = payload_of(worker.port.sent[i]);
      const auto at = static_cast<unsigned>(i);
      EXPECT_EQ(get16(got, 2), (sequence + at) & 0xffff) << i;
      EXPECT_EQ(get32(got, 4), timestamp + (at + at / 100 * pause) * kTicks) << i;
      EXPECT_EQ(get32(got, 8), kOwn) << i;
      EXPECT_EQ(Bytes(got.begin() + 12, got.end()), pattern(50, at)) << i;
    }
  }
  void expect_balance(const OneWorker& worker) { EXPECT_TRUE(worker.counters().ledger.balances()); }

  Spec spec;
};

}  // namespace castgate::test
