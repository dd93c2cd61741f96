// SPDX-License-Identifier: Apache-2.0
// ESP as it arrives: from received frames to frames that left.
#include "dataplane/open/open_stage.h"
#include "tests/support/esp_lab.h"

namespace castgate::test {
namespace {

TEST_F(OpenEspTest, what_arrives_in_a_tunnel_leaves_as_its_sender_had_it) {
  EspSender sealer(opened());
  OneWorker worker(spec, pool(), false);
  for (unsigned n = 0; n < 500; ++n)
    receive(worker, esp_frame(sealer.seal(inside(n), kEspIp4, n + 1)));
  expect_clear(worker, 500);
  EXPECT_EQ(leg_of(worker).opened, 500u);
  expect_balance(worker);
}

TEST_F(OpenEspTest, a_stream_beside_it_passes_untouched) {
  OneWorker worker(spec, pool(), false);
  const Bytes beside = rtp_packet(1, 2, 3, pattern(70));
  send(worker, beside, {239, 1, 0, 2});
  ASSERT_EQ(worker.port.sent.size(), 1u);
  EXPECT_EQ(payload_of(worker.port.sent[0]), beside);
}

TEST_F(OpenEspTest, whatever_is_cut_off_or_changed_is_named_and_costs_no_packet) {
  EspSender sealer(opened());
  OneWorker worker(spec, pool(), false);
  unsigned number = 0;
  receive(worker, esp_frame(sealer.seal(inside(0), kEspIp4, ++number)));
  const Bytes whole = sealer.seal(inside(1), kEspIp4, ++number);
  for (std::size_t cut = 4; cut < whole.size(); ++cut)
    receive(worker, esp_frame(Bytes(whole.begin(), whole.begin() + static_cast<long>(cut))));
  const std::size_t longer = (whole.size() - EspShape::kShortest + 3) / 4;
  EXPECT_EQ(worker.dropped(DropReason::Forged), longer);
  EXPECT_EQ(worker.dropped(DropReason::OpenMalformed), whole.size() - 4 - longer);
  for (std::size_t at = 8; at < whole.size(); ++at) {
    Bytes bad = whole;
    bad[at] ^= 0x10;
    receive(worker, esp_frame(bad));
  }
  EXPECT_EQ(worker.dropped(DropReason::Forged), longer + whole.size() - 8);
  receive(worker, esp_frame(whole));
  receive(worker, esp_frame(whole));
  EXPECT_EQ(worker.dropped(DropReason::Replayed), 1u);
  expect_clear(worker, 2);
  const LegSnapshot leg = leg_of(worker);
  EXPECT_EQ(leg.forged, worker.dropped(DropReason::Forged));
  EXPECT_EQ(leg.open_malformed, worker.dropped(DropReason::OpenMalformed));
  EXPECT_EQ(leg.replayed, 1u);
  expect_balance(worker);
}

// Its addresses are others than those that its checksum is of.

TEST_F(OpenEspTest, numbers_are_found_again_at_no_cost_and_forgeries_cost_nothing) {
  EspSender sealer(opened());
  OneWorker worker(spec, pool(), false);
  unsigned n = 0;
  const auto next = [&](std::uint64_t number) {
    receive(worker, esp_frame(sealer.seal(inside(n), kEspIp4, number)));
    ++n;
  };
  for (unsigned i = 0; i < 100; ++i) next((1ull << 32) - 50 + i);
  wait(worker, 200);
  next((2ull << 32) + 70);  // a whole turn was lost: found with the first packet
  expect_clear(worker, n);
  for (unsigned i = 0; i < 200; ++i) {
    wait(worker, 200);
    Bytes bad = sealer.seal(inside(0), kEspIp4, (2ull << 32) + 1000 + i);
    bad.back() ^= 1;
    receive(worker, esp_frame(bad));
    next((2ull << 32) + 71 + i);
  }
  EXPECT_EQ(worker.dropped(DropReason::Forged), 200u);
  expect_clear(worker, n);
}

TEST_F(OpenEspTest, over_a_reload_a_key_that_stays_knows_what_it_opened) {
  constexpr std::uint64_t kFirst = (1ull << 32) - 100;
  EspSender sealer(opened());
  OneWorker worker(spec, pool(), false);
  for (unsigned n = 0; n < 200; ++n)
    receive(worker, esp_frame(sealer.seal(inside(n), kEspIp4, kFirst + n)));
  Spec after = spec;
  after.streams[0].legs[0].open.replay_window = 64;
  after.streams[0].legs[0].open.inner.source = IpAddress::parse("10.7.0.5").value();
  reload(worker, after);
  for (unsigned n = 150; n < 200; ++n)
    receive(worker, esp_frame(sealer.seal(inside(n), kEspIp4, kFirst + n)));
  EXPECT_EQ(worker.dropped(DropReason::Replayed), 50u);
  for (unsigned n = 200; n < 300; ++n)
    receive(worker, esp_frame(sealer.seal(inside(n), kEspIp4, kFirst + n)));
  expect_clear(worker, 300);
  EXPECT_EQ(leg_of(worker).opened, 300u);
  after.streams[0].legs[0].open.keys = tunnel(2).keys;
  EspSender next(after.streams[0].legs[0].open);
  reload(worker, after);
  for (unsigned n = 300; n < 400; ++n)
    receive(worker, esp_frame(next.seal(inside(n), kEspIp4, n - 299)));
  expect_clear(worker, 400);
  receive(worker, esp_frame(sealer.seal(inside(0), kEspIp4, kFirst + 400)));
  EXPECT_EQ(worker.dropped(DropReason::Forged), 1u);
  expect_balance(worker);
}

// The first line of a file is taken away: what was epoch 2 is epoch 1, under the SPI it had.
TEST_F(OpenEspTest, over_a_reload_that_counts_epochs_anew_nothing_is_opened_twice) {
  OpenSpec later = tunnel(2);
  later.spi = kSpi + 1;
  opened().keys.push_back({.epoch = 2, .key = later.keys[0].key, .numbers = nullptr});
  EspSender sealer(later);
  OneWorker worker(spec, pool(), false);
  for (unsigned n = 0; n < 100; ++n)
    receive(worker, esp_frame(sealer.seal(inside(n), kEspIp4, n + 1)));
  Spec after = spec;
  after.streams[0].legs[0].open.keys = later.keys;
  after.streams[0].legs[0].open.spi = later.spi;
  reload(worker, after);
  for (unsigned n = 0; n < 101; ++n)
    receive(worker, esp_frame(sealer.seal(inside(n), kEspIp4, n + 1)));
  EXPECT_EQ(worker.dropped(DropReason::Replayed), 100u);
  expect_clear(worker, 101);
  expect_balance(worker);
}

TEST_F(OpenEspTest, what_a_forgery_decrypts_to_is_wiped) {
  EspSender sealer(opened());
  const auto stage = make_open_stage(1);
  struct Nothing final : Stage {
    void process(std::span<rte_mbuf* const>, Instant) noexcept override { FAIL(); }
  } nothing;
  stage->connect(nothing);
  Openers openers = make_openers(spec.streams[0], stage->ciphers());
  stage->install(0, openers, {});
  Bytes frame = esp_frame(sealer.seal(inside(300), kEspIp4, 1));
  frame.back() ^= 1;  // the ICV alone: the rest would decrypt to the clear
  rte_mbuf* packet = one_segment(pool(), frame);
  set_tag(packet,
          {.stream = 0, .leg = 0, .worker = 0, .udp_at = kEspAt - 8, .l3_at = 14, .flags = 0});
  rte_mbuf_refcnt_update(packet, 1);  // to look at it afterwards
  stage->process({&packet, 1}, Instant{1});
  const Bytes left = bytes_of(packet);
  rte_pktmbuf_free(packet);
  EXPECT_EQ(std::count(left.begin() + kEspAt + 16, left.end(), 0),
            static_cast<long>(left.size() - kEspAt - 16));
}

}  // namespace
}  // namespace castgate::test
