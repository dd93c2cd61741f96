// SPDX-License-Identifier: Apache-2.0
// unicast_property [PACKETS]: streams to ten thousand clients through a ring port: each packet,
// each counter and each checksum of each client; then clients that come and go in storms. A frame
// is judged by what stands in it alone. PACKETS (1000) is the length of the first stream; others
// follow it.
#include <cstdlib>
#include <deque>
#include <random>

#include "drivers/ethdev_port.h"
#include "tests/support/fan_lab.h"
#include "tests/support/frame_judge.h"

namespace castgate::test {
namespace {

unsigned g_packets = 1'000;

class UnicastPropertyTest : public FanLab {
 protected:
  void SetUp() override {
    FanLab::SetUp();
    auto opened = EthdevPort::open({.name = "out", .device = "net_ring0", .rx_pools = {pool()}});
    ASSERT_TRUE(opened) << opened.error().text;
    ring_ = *std::move(opened);
    ports_[1] = ring_.get();
  }
  void TearDown() override {
    FanLab::TearDown();  // pools and ledger
    ring_.reset();
  }

  Frame frame_of(unsigned number, std::size_t length) {
    Frame frame;
    frame.to_mac = {1, 0, 0x5e, 1, 0, 1};
    frame.payload = Bytes(length);
    for (auto& byte : frame.payload) byte = static_cast<std::uint8_t>(random_());
    std::fill_n(frame.payload.begin(), 12, std::uint8_t{0});  // one source, as RTP has it
    frame.payload[0] = 0x80;
    set16(frame.payload, 2, number & 0xffff);
    return frame;
  }
  void feed(const Frame& frame) {
    rte_mbuf* packet = one_segment(pool(), frame.bytes());
    ASSERT_NE(packet, nullptr);
    pipeline_->receive(0, {&packet, 1}, now_);
  }
  // Turns of the worker and of the wire until nothing is left; `judge` sees each frame.
  template <typename Judge>
  void send_all(Judge&& judge) {
    do {
      pipeline_->flush();
      collect(judge);
    } while (!pipeline_->idle());
    pipeline_->flush();
    collect(judge);
  }

  std::mt19937_64 random_{8};
  std::unique_ptr<EthdevPort> ring_;

 private:
  template <typename Judge>
  void collect(Judge&& judge) {
    std::array<rte_mbuf*, 64> burst;
    while (const unsigned count = ring_->receive(0, burst)) {
      for (unsigned i = 0; i < count; ++i) judge(read_frame(burst.at(i)));
      rte_pktmbuf_free_bulk(burst.data(), count);
    }
  }
};

TEST_F(UnicastPropertyTest, ten_thousand_clients_get_each_packet_once_in_order_with_right_sums) {
  constexpr unsigned kClients = 10'000;
  constexpr std::size_t kLength = 1'316;
  make();
  const auto places = join_many(kClients);
  std::vector<unsigned> next(kClients);
  for (unsigned n = 0; n < g_packets; ++n) {
    now_ = now_ + std::chrono::milliseconds(1);
    const Frame sent = frame_of(n, kLength);
    feed(sent);
    send_all([&](const ReadFrame& got) {
      ASSERT_EQ(got.fault, nullptr) << got.fault;
      ASSERT_TRUE(got.has_sum);
      ASSERT_LT(got.client, kClients);
      ASSERT_EQ(got.number, next[got.client]++ & 0xffff) << got.client;
      ASSERT_EQ(got.length, kLength);
      ASSERT_EQ(std::memcmp(got.payload, sent.payload.data(), kLength), 0);
    });
    if (HasFatalFailure()) return;
  }
  for (unsigned n = 0; n < kClients; ++n) {
    ASSERT_EQ(next[n], g_packets) << n;
    const ClientCounters counted = roster_->counters(places[n]);
    ASSERT_EQ(counted.packets, g_packets);
    ASSERT_EQ(counted.bytes, g_packets * (kLength + 42));
    ASSERT_EQ(counted.drops, ClientCounters{}.drops);
  }
  const Snapshot seen = snapshot();
  const std::uint64_t copies = std::uint64_t{kClients} * g_packets;
  EXPECT_EQ(seen.streams[0].unicasts[0].packets, copies);
  EXPECT_EQ(seen.streams[0].unicasts[0].bytes, copies * (kLength + 42));
  EXPECT_EQ(seen.ledger.out, copies);
  EXPECT_EQ(seen.ledger.dropped, 0u);
  EXPECT_EQ(ring_->stats().tx_packets, copies);
  EXPECT_EQ(pool_->in_use(), 0u);
  EXPECT_EQ(heads_->in_use(), 0u);
}

// A million by default: any address, TOS, TTL, length and sum, to clients of outputs that tag,
// decrement and mark each in its own way, over both versions of IP.
TEST_F(UnicastPropertyTest, checksums_of_random_headers_are_right) {
  constexpr unsigned kOutputs = 5;
  constexpr unsigned kOfEach = 50;
  constexpr unsigned kClients = kOutputs * kOfEach;
  change_ = [&](UnicastSpec&) {
    auto& all = spec_.streams[0].unicasts;
    all.assign(kOutputs, all[0]);
    for (unsigned u = 0; u < kOutputs; ++u) all[u].name = "homes" + std::to_string(u);
    all[1].ttl = 0;
    all[2].vlan = VlanTags{.outer = 100, .inner = 43};
    all[3].dscp = 46;
    all[3].vlan = VlanTags{.outer = 7};
    all[4].source_port = 9;
    all[4].copy_threshold = 0;
  };
  make();
  for (unsigned n = 0; n < kClients; ++n) {
    const auto low = static_cast<std::uint32_t>(n);
    ClientRoute route{.unicast = static_cast<std::uint16_t>(n % kOutputs)};
    route.to.udp_port = static_cast<std::uint16_t>(1 + random_() % 65'535);
    route.next_hop = MacAddress{{2, 0, 0, 0, 0, 7}};
    if (n % 3 == 0) {
      std::array<std::uint8_t, 16> address{0x20, 1};
      for (unsigned i = 2; i < 13; ++i) address.at(i) = static_cast<std::uint8_t>(random_());
      route.source = IpAddress::v6(address);
      address[14] = static_cast<std::uint8_t>(low >> 8);
      address[15] = static_cast<std::uint8_t>(low);
      address[13] = 0;
      route.to.address = IpAddress::v6(address);
    } else {
      const auto high = static_cast<std::uint32_t>(1 + random_() % 223) << 24;
      route.to.address = IpAddress::v4(high | low);
      route.source = IpAddress::v4(static_cast<std::uint32_t>(random_()));
    }
    const auto command = roster_->join(route, nullptr, 0, done_);
    ASSERT_TRUE(command) << command.error().text;
    carry_out(*command);
  }
  std::uint64_t got_in_all = 0;
  for (unsigned n = 0; n < 4 * g_packets; ++n) {
    now_ = now_ + std::chrono::milliseconds(1);
    Frame sent = frame_of(n, 12 + random_() % (n % 4 == 0 ? 1'389 : 400));
    sent.source = {static_cast<std::uint8_t>(1 + random_() % 223),
                   static_cast<std::uint8_t>(random_()), 0, static_cast<std::uint8_t>(random_())};
    sent.tos = random_() & 0xff;
    sent.id = random_() & 0xffff;
    sent.ttl = static_cast<unsigned>(2 + random_() % 254);
    sent.source_port = random_() & 0xffff;
    sent.udp_sum = random_() % 8 != 0;
    feed(sent);
    unsigned got_now = 0;
    send_all([&](const ReadFrame& got) {
      ASSERT_EQ(got.fault, nullptr) << got.fault << " of packet " << n << " to " << got.client;
      ASSERT_EQ(got.length, sent.payload.size());
      ASSERT_EQ(std::memcmp(got.payload, sent.payload.data(), got.length), 0);
      ASSERT_EQ(got.tags, got.client % kOutputs == 2 ? 2u : got.client % kOutputs == 3 ? 1u : 0u);
      ASSERT_TRUE(got.has_sum || !sent.udp_sum);
      ++got_now;
    });
    ASSERT_EQ(got_now, kClients) << n;
    got_in_all += got_now;
  }
  EXPECT_EQ(got_in_all, std::uint64_t{kClients} * 4 * g_packets);
}

// Clients that stay, and others that come and go all the while.
class StormTest : public UnicastPropertyTest {
 protected:
  // `each`: joins, and as many leaves, in a millisecond, with a packet of the stream.
  void storm(unsigned milliseconds, unsigned each) {
    constexpr unsigned kStay = 20;
    constexpr unsigned kGuests = 4'000;  // addresses, each taken again later
    constexpr unsigned kTogether = 50;
    make();
    join_many(kStay);
    std::vector<unsigned> next(kStay);
    std::vector<std::optional<unsigned>> of_guest(kGuests);
    struct Guest {
      unsigned number;
      ClientPlace place;
      unsigned since;  // the first packet that it must have
    };
    std::deque<Guest> guests;
    std::uint64_t joins = 0;
    std::uint64_t to_guests = 0;
    for (unsigned n = 0; n < milliseconds; ++n) {
      now_ = now_ + std::chrono::milliseconds(1);
      for (unsigned i = 0; i < each; ++i, ++joins) {
        const auto guest = static_cast<unsigned>(joins % kGuests);
        of_guest[guest].reset();
        guests.push_back({guest, join(kStay + guest), i > each / 2 ? n + 1 : n});
        if (i == each / 2) feed(frame_of(n, 100 + n % 400));  // in their midst
        if (guests.size() <= kTogether) continue;
        leave(guests.front().place);
        guests.pop_front();
      }
      send_all([&](const ReadFrame& got) {
        ASSERT_EQ(got.fault, nullptr) << got.fault;
        if (got.client < kStay) {
          ASSERT_EQ(got.number, next[got.client]++ & 0xffff) << got.client;
          return;
        }
        auto& last = of_guest.at(got.client - kStay);
        if (last) {
          ASSERT_EQ(got.number, (*last + 1) & 0xffff) << "a hole while a guest was there";
        }
        last = got.number;
        ++to_guests;
      });
      for (const Guest& guest : guests) {
        if (guest.since > n) continue;
        ASSERT_EQ(of_guest[guest.number], n & 0xffff) << guest.number;
      }
      if (HasFatalFailure()) return;
    }
    EXPECT_EQ(joins, std::uint64_t{milliseconds} * each);
    EXPECT_GT(to_guests, std::uint64_t{milliseconds} * kTogether / 2);
    EXPECT_EQ(next, std::vector<unsigned>(kStay, milliseconds));
    EXPECT_EQ(snapshot().streams[0].unicasts[0].clients, kStay + guests.size());
    EXPECT_EQ(snapshot().ledger.dropped, 0u);
  }
};

TEST_F(StormTest, five_thousand_joins_and_leaves_a_second_for_a_minute_cost_who_stays_nothing) {
  storm(60 * g_packets, 5);
}

TEST_F(StormTest, hundred_thousand_joins_in_ten_seconds_cost_who_stays_nothing) {
  storm(10 * g_packets, 10);
}

}  // namespace
}  // namespace castgate::test

int main(int count, char** arguments) {
  testing::InitGoogleTest(&count, arguments);
  if (count > 1) {
    castgate::test::g_packets =
        static_cast<unsigned>(std::strtoul(arguments[1], nullptr, 10));  // NOLINT
  }
  return RUN_ALL_TESTS();
}
