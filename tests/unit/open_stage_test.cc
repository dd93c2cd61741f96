// SPDX-License-Identifier: Apache-2.0
#include "dataplane/open/open_stage.h"

#include <array>
#include <deque>
#include <random>

#include <gtest/gtest.h>

#include "dataplane/base/rtp/header.h"
#include "dataplane/contract/reload.h"
#include "dataplane/stream_kit.h"
#include "tests/support/one_key.h"
#include "tests/support/restamp_lab.h"

namespace castgate::test {
namespace {

OpenSpec open_of(OpenProfile profile, unsigned seed = 1, unsigned bits = 128) {
  OpenSpec spec;
  spec.profile = profile;
  spec.key_bits = bits;
  spec.key_file = "key " + std::to_string(seed);
  std::vector<std::byte> bytes(key_file_bytes(spec));
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i * 7 + seed);
  spec.keys = one_key(share_key(bytes));
  return spec;
}

// The other end of a leg.
class Sealer {
 public:
  explicit Sealer(const OpenSpec& spec) : spec_(spec) {
    const auto master =
        read_srtp_master(spec.keys.front().key->bytes(), static_cast<KeyBits>(spec.key_bits));
    if (spec.profile == OpenProfile::SrtpGcm) {
      gcm_ = make_secret<SrtpGcm>(ciphers_, *master);
    } else {
      cm_ = make_secret<SrtpCm>(ciphers_, *master, std::size_t{spec.tag_bits} / 8);
    }
  }
  Bytes seal(const Bytes& clear, std::uint64_t index) {
    Bytes packet = clear;
    packet.resize(clear.size() + 16);
    auto* at = reinterpret_cast<std::byte*>(packet.data());
    const SrtpPacket rtp{at, clear.size(), rtp_header_length(at, clear.size()), index};
    if (gcm_) {
      gcm_->seal(ciphers_.manager(), rtp);
      return packet;
    }
    batch_.add(*cm_, rtp);
    batch_.seal(ciphers_.manager());
    packet.resize(clear.size() + cm_->tag());
    return packet;
  }

 private:
  OpenSpec spec_;
  Ciphers ciphers_ = *Ciphers::make();
  Secret<SrtpGcm> gcm_;
  Secret<SrtpCm> cm_;
  SrtpCmBatch batch_;
};

constexpr std::array kProfiles{OpenProfile::SrtpGcm, OpenProfile::SrtpCm};

// A stream in the clear and, before it, one whose first leg comes sealed.
class OpenStageTest : public RestampTest {
 protected:
  OpenStageTest() { spec.streams[0].failover.continuity = Continuity::Preserve; }
  OpenSpec& opened() { return spec.streams[0].legs[0].open; }

  static Bytes clear_of(unsigned n, std::uint32_t ssrc = 7) {
    return rtp_packet(n, n * kTicks, ssrc, pattern(30 + n % 400, n));
  }
  rte_mbuf* packet_of(const Bytes& payload, const Bytes& group = {239, 1, 0, 1}) {
    Frame frame;
    frame.destination = group;
    frame.to_mac = {1, 0, 0x5e, group[1], group[2], group[3]};
    frame.payload = payload;
    return one_segment(pool(), frame.bytes());
  }
  static LegSnapshot leg_of(const OneWorker& worker, const Spec& spec) {
    StreamSnapshot into;
    into.legs.resize(spec.streams[0].legs.size());
    worker.pipeline->snapshot_stream(0, into);
    return into.legs[0];
  }
  // As the control thread does, with another first stream.
  void reload(OneWorker& worker, const Spec& after) {
    Port* ports[] = {&worker.port};
    auto kit = make_kit({.before = spec, .after = after, .ports = ports}, 0);
    worker.pipeline->install(*kit, worker.now);
    spec = after;
  }
};

TEST_F(OpenStageTest, what_arrives_sealed_leaves_as_its_sender_had_it) {
  for (const OpenProfile profile : kProfiles) {
    opened() = open_of(profile);
    Sealer sealer(opened());
    OneWorker worker(spec, pool(), false);
    for (unsigned n = 65'400; n < 66'000; ++n) send(worker, sealer.seal(clear_of(n), n));
    ASSERT_EQ(worker.port.sent.size(), 600u);
    for (unsigned i = 0; i < 600; ++i)
      EXPECT_EQ(payload_of(worker.port.sent[i]), clear_of(65'400 + i)) << i;
    EXPECT_EQ(leg_of(worker, spec).opened, 600u);
    expect_balance(worker);
  }
}

TEST_F(OpenStageTest, a_stream_beside_it_passes_untouched) {
  opened() = open_of(OpenProfile::SrtpCm);
  OneWorker worker(spec, pool(), false);
  const Bytes beside = rtp_packet(1, 2, 3, pattern(70));
  send(worker, beside, {239, 1, 0, 2});
  ASSERT_EQ(worker.port.sent.size(), 1u);
  EXPECT_EQ(payload_of(worker.port.sent[0]), beside);
}

// Bits flipped anywhere behind what says how long the header is, packets cut, in the clear, of
// another key: each has a name, and the genuine ones around them all leave.
TEST_F(OpenStageTest, nothing_that_is_not_genuine_passes) {
  std::mt19937 random(9);
  for (const OpenProfile profile : kProfiles) {
    opened() = open_of(profile);
    Sealer sealer(opened());
    Sealer other(open_of(profile, 2));
    OneWorker worker(spec, pool(), false);
    unsigned forged = 0;
    for (unsigned n = 0; n < 300; ++n) {
      const Bytes sealed = sealer.seal(clear_of(n), n);
      Bytes flipped = sealed;
      flipped[1 + random() % (flipped.size() - 1)] ^= static_cast<std::uint8_t>(1u << random() % 8);
      for (const Bytes& bad : {flipped, clear_of(n), other.seal(clear_of(n), n),
                               Bytes(sealed.begin(), sealed.end() - 1)}) {
        send(worker, bad);
        ++forged;
      }
      send(worker, Bytes(sealed.begin(), sealed.begin() + 13));
      send(worker, sealed);
      ASSERT_EQ(worker.port.sent.size(), n + 1) << n;
      EXPECT_EQ(payload_of(worker.port.sent[n]), clear_of(n));
    }
    EXPECT_EQ(worker.dropped(DropReason::OpenMalformed), 300u);
    // A flipped number may be one that is known.
    EXPECT_EQ(worker.dropped(DropReason::Forged) + worker.dropped(DropReason::Replayed), forged);
    EXPECT_GT(worker.dropped(DropReason::Forged), forged * 9 / 10);
    const LegSnapshot leg = leg_of(worker, spec);
    EXPECT_EQ(leg.forged, worker.dropped(DropReason::Forged));
    EXPECT_EQ(leg.replayed, worker.dropped(DropReason::Replayed));
    EXPECT_EQ(leg.open_malformed, 300u);
    expect_balance(worker);
  }
}

TEST_F(OpenStageTest, one_packet_twice_in_a_turn_is_opened_once) {
  for (const OpenProfile profile : kProfiles) {
    opened() = open_of(profile);
    Sealer sealer(opened());
    OneWorker worker(spec, pool(), false);
    std::array<rte_mbuf*, 32> burst;
    for (unsigned n = 0; n < burst.size(); ++n)
      burst[n] = packet_of(sealer.seal(clear_of(n / 2), n / 2));
    worker.receive(burst);
    EXPECT_EQ(worker.port.sent.size(), 16u);
    EXPECT_EQ(worker.dropped(DropReason::Replayed), 16u);
  }
}

TEST_F(OpenStageTest, what_a_forgery_decrypts_to_is_wiped) {
  opened() = open_of(OpenProfile::SrtpGcm);
  Sealer sealer(opened());
  const auto stage = make_open_stage(1);
  struct Nothing final : Stage {
    void process(std::span<rte_mbuf* const>, Instant) noexcept override { FAIL(); }
  } nothing;
  stage->connect(nothing);
  Openers openers = make_openers(spec.streams[0], stage->ciphers());
  stage->install(0, openers, {});
  Frame frame;
  frame.payload = sealer.seal(clear_of(300), 300);
  frame.payload.back() ^= 1;  // the tag alone: the rest would decrypt to the clear
  rte_mbuf* packet = one_segment(pool(), frame.bytes());
  set_tag(packet, {.stream = 0, .leg = 0, .worker = 0, .udp_at = 34, .l3_at = 14, .flags = 0});
  rte_mbuf_refcnt_update(packet, 1);  // to look at it afterwards
  stage->process({&packet, 1}, Instant{1});
  const Bytes left = bytes_of(packet);
  rte_pktmbuf_free(packet);
  const Bytes body(left.begin() + kPayload + 12, left.end() - 16);
  EXPECT_EQ(body, Bytes(body.size(), 0));
}

TEST_F(OpenStageTest, legs_of_all_suites_share_a_turn) {
  spec.streams[0].legs.clear();
  std::deque<Sealer> sealers;
  unsigned leg_number = 0;
  for (const unsigned bits : {128u, 256u}) {
    for (const OpenProfile profile : kProfiles) {
      add_leg(("239.1.1." + std::to_string(++leg_number) + ":5000").c_str());
      spec.streams[0].legs.back().open = open_of(profile, leg_number, bits);
      sealers.emplace_back(spec.streams[0].legs.back().open);
    }
  }
  OneWorker worker(spec, pool(), false);
  for (unsigned n = 0; n < 100; ++n) {
    std::vector<rte_mbuf*> burst;
    for (unsigned l = 0; l < 4; ++l) {
      // Each number comes on one leg alone.
      const Bytes sealed = sealers[l].seal(clear_of(4 * n + l), 4 * n + l);
      burst.push_back(packet_of(sealed, {239, 1, 1, static_cast<std::uint8_t>(l + 1)}));
    }
    worker.receive(burst);
  }
  worker.pipeline->drain(worker.now);
  ASSERT_EQ(worker.port.sent.size(), 400u);
  for (unsigned n = 0; n < 400; ++n) EXPECT_EQ(payload_of(worker.port.sent[n]), clear_of(n)) << n;
}

TEST_F(OpenStageTest, over_a_reload_a_key_that_stays_knows_what_it_opened) {
  for (const OpenProfile profile : kProfiles) {
    opened() = open_of(profile);
    Sealer sealer(opened());
    OneWorker worker(spec, pool(), false);
    for (unsigned n = 65'000; n < 66'000; ++n) send(worker, sealer.seal(clear_of(n), n));
    Spec after = spec;
    after.streams[0].legs[0].open.replay_window = 64;
    reload(worker, after);
    for (unsigned n = 65'950; n < 66'000; ++n) send(worker, sealer.seal(clear_of(n), n));
    EXPECT_EQ(worker.dropped(DropReason::Replayed), 50u);
    for (unsigned n = 66'000; n < 66'100; ++n) send(worker, sealer.seal(clear_of(n), n));
    EXPECT_EQ(worker.port.sent.size(), 1'100u);
    EXPECT_EQ(leg_of(worker, spec).opened, 1'100u);
  }
}

TEST_F(OpenStageTest, over_a_reload_another_key_takes_over_where_the_first_one_ends) {
  for (const OpenProfile profile : kProfiles) {
    opened() = open_of(profile);
    Sealer sealer(opened());
    OneWorker worker(spec, pool(), false);
    for (unsigned n = 65'000; n < 66'000; ++n) send(worker, sealer.seal(clear_of(n), n));
    Spec after = spec;
    after.streams[0].legs[0].open = open_of(profile, 2);
    Sealer next(after.streams[0].legs[0].open);
    reload(worker, after);
    for (unsigned n = 66'000; n < 66'500; ++n) send(worker, next.seal(clear_of(n), n));
    EXPECT_EQ(worker.port.sent.size(), 1'500u);
    send(worker, sealer.seal(clear_of(66'501), 66'501));
    EXPECT_EQ(worker.dropped(DropReason::Forged), 1u);
    expect_balance(worker);
  }
}

TEST_F(OpenStageTest, a_leg_begins_and_ceases_to_be_opened_while_packets_flow) {
  const OpenSpec sealed = open_of(OpenProfile::SrtpCm);
  Sealer sealer(sealed);
  OneWorker worker(spec, pool(), false);
  for (unsigned n = 0; n < 100; ++n) send(worker, clear_of(n));
  Spec after = spec;
  after.streams[0].legs[0].open = sealed;
  reload(worker, after);
  for (unsigned n = 100; n < 200; ++n) send(worker, sealer.seal(clear_of(n), n));
  send(worker, clear_of(200));
  EXPECT_EQ(worker.dropped(DropReason::Forged), 1u);
  after.streams[0].legs[0].open = {};
  reload(worker, after);
  for (unsigned n = 200; n < 300; ++n) send(worker, clear_of(n));
  ASSERT_EQ(worker.port.sent.size(), 300u);
  for (unsigned n = 0; n < 300; ++n) EXPECT_EQ(payload_of(worker.port.sent[n]), clear_of(n));
}

TEST_F(OpenStageTest, what_waits_to_be_opened_is_there_before_its_gap_is_closed) {
  opened() = open_of(OpenProfile::SrtpCm);
  Sealer sealer(opened());
  OneWorker worker(spec, pool(), false);
  for (const unsigned n : {1u, 2u, 4u, 5u}) send(worker, sealer.seal(clear_of(n), n));
  rte_mbuf* packet = packet_of(sealer.seal(clear_of(3), 3));
  worker.now = worker.now + spec.streams[0].failover.max_skew;
  worker.pipeline->receive(0, {&packet, 1}, worker.now);
  EXPECT_EQ(worker.pipeline->held(), 3u);
  worker.pipeline->tick(worker.now);
  worker.pipeline->flush();
  EXPECT_EQ(worker.port.sent.size(), 5u);
  EXPECT_EQ(worker.dropped(DropReason::LateAfterRelease), 0u);
}

TEST_F(OpenStageTest, what_waits_when_the_stage_ends_is_freed) {
  opened() = open_of(OpenProfile::SrtpCm);
  Sealer sealer(opened());
  OneWorker worker(spec, pool(), false);
  rte_mbuf* packet = packet_of(sealer.seal(clear_of(3), 3));
  worker.pipeline->receive(0, {&packet, 1}, worker.now);
  EXPECT_EQ(worker.pipeline->held(), 1u);
  worker.pipeline.reset();  // the pool's baseline is seen by the fixture
}

}  // namespace
}  // namespace castgate::test
