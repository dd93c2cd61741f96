// SPDX-License-Identifier: Apache-2.0
#include "dataplane/protect/protect_stage.h"

#include <map>
#include <random>
#include <set>

#include <gtest/gtest.h>

#include "tests/support/protect_lab.h"
#include "tests/support/srtp_opener.h"

namespace castgate::test {
namespace {

using ProtectStageTest = ProtectLab;

TEST_F(ProtectStageTest, restarts_of_the_source_never_use_an_index_twice) {
  for (const ProtectProfile profile : {ProtectProfile::SrtpGcm, ProtectProfile::SrtpCm}) {
    spliced().outputs[0].protect = protect_of(profile);
    SrtpOpener opener(spliced().outputs[0].protect);
    OneWorker worker(spec, pool(), false);
    std::vector<Bytes> clear;
    for (unsigned i = 0; i < 600; ++i) {
      const unsigned life = i / 200;  // each begins with numbers that were there before
      const Bytes body = pattern(50 + i % 300, i);
      clear.push_back(body);
      send(worker, rtp_packet(65'400 + i % 200, i * kTicks, life + 1, body));
    }
    worker.pipeline->drain(worker.now);
    ASSERT_EQ(worker.port.sent.size(), 600u);
    for (unsigned i = 0; i < 600; ++i) {
      const Bytes opened = opener.open(sealed_of(worker.port.sent[i]), 65'400 + i);
      ASSERT_FALSE(opened.empty()) << i;
      EXPECT_EQ(Bytes(opened.begin() + 12, opened.end()), clear[i]) << i;
    }
    expect_balance(worker);
  }
}

TEST_F(ProtectStageTest, a_number_that_was_sealed_is_never_sealed_again_over_a_reload_either) {
  spliced().outputs[0].protect = protect_of(ProtectProfile::SrtpGcm);
  make();
  for (const unsigned sequence : {100u, 102u, 101u, 102u, 100u}) {
    offer(rtp_packet(sequence, 0, kOwn, pattern(60, sequence)));
  }
  EXPECT_EQ(sink_.frames.size(), 3u);
  EXPECT_EQ(dropped(DropReason::NonceUsed), 2u);
  spliced().outputs[0].protect.tag_bits = 32;  // another rendition, under the same key
  Renditions again = make_renditions(spliced(), stage_->ciphers());
  stage_->install(0, again);
  offer(rtp_packet(102, 0, kOwn, pattern(60, 9)));
  EXPECT_EQ(dropped(DropReason::NonceUsed), 3u);
  offer(rtp_packet(103, 0, kOwn, pattern(60, 9)));
  EXPECT_EQ(sink_.frames.size(), 4u);
  EXPECT_EQ(stage_->packets(0), 4u);
}

TEST_F(ProtectStageTest, a_number_far_behind_is_not_sealed_for_nobody_knows_of_it) {
  spliced().outputs[0].protect = protect_of(ProtectProfile::SrtpCm);
  make();
  for (const unsigned sequence : {5'000u, 3'900u, 4'100u, 4'990u}) {
    offer(rtp_packet(sequence, 0, kOwn, pattern(60)));
  }
  EXPECT_EQ(sink_.frames.size(), 3u);
  EXPECT_EQ(dropped(DropReason::NonceUsed), 1u);
}

TEST_F(ProtectStageTest, no_index_comes_twice_in_any_order_of_numbers) {
  spliced().outputs[0].protect = protect_of(ProtectProfile::SrtpGcm);
  Rendition rendition(*Ciphers::make(), spliced().outputs[0].protect);
  std::mt19937 random(11);
  std::set<std::uint64_t> taken;
  std::uint16_t around = 0;
  for (unsigned i = 0; i < 300'000; ++i) {
    around = static_cast<std::uint16_t>(around + random() % 3);
    if (random() % 1'000 == 0) around = static_cast<std::uint16_t>(random());
    const auto told = static_cast<std::uint16_t>(around - random() % 50);
    std::uint64_t index = 0;
    if (rendition.take(told, index) != Rendition::Index::Taken) continue;
    ASSERT_TRUE(taken.insert(index).second) << index;
    ASSERT_EQ(index & 0xffff, told);
  }
  EXPECT_GT(taken.size(), 100'000u);
}

TEST_F(ProtectStageTest, a_key_that_is_spent_seals_no_more) {
  spliced().outputs[0].protect = protect_of(ProtectProfile::SrtpGcm);
  spliced().outputs[0].protect.max_packets = 5;
  make();
  for (unsigned n = 0; n < 9; ++n) offer(rtp_packet(n, 0, kOwn, pattern(60)));
  EXPECT_EQ(sink_.frames.size(), 5u);
  EXPECT_EQ(dropped(DropReason::KeySpent), 4u);
}

// Whatever fails: no frame that leaves holds a byte of the payload in its place.
TEST_F(ProtectStageTest, what_cannot_be_sealed_does_not_leave) {
  for (const ProtectProfile profile : {ProtectProfile::SrtpGcm, ProtectProfile::SrtpCm}) {
    spliced().outputs[0].protect = protect_of(profile);
    stage_.reset();
    make();
    offer(Bytes{0x80, 33, 0, 1});  // no header
    offer(Bytes(40, 0));           // another version
    offer([] {                     // an extension longer than the packet
      Bytes long_extension = rtp_packet(7, 0, kOwn, {0, 0, 0xff, 0xff});
      long_extension[0] = 0x90;
      return long_extension;
    }());
    EXPECT_EQ(dropped(DropReason::SealNotRtp), 3u);
    rte_mbuf* packet = packet_of(rtp_packet(8, 0, kOwn, pattern(60)));
    packet->buf_len = static_cast<std::uint16_t>(packet->data_off + packet->data_len + 3);
    const std::uint16_t whole = rte_pktmbuf_data_room_size(pool());
    stage_->process({&packet, 1}, Instant{1});
    packet->buf_len = whole;
    stage_->work();
    EXPECT_EQ(dropped(DropReason::SealNoRoom), 1u);
    EXPECT_TRUE(sink_.frames.empty());
  }
}

TEST_F(ProtectStageTest, each_rendition_is_a_packet_of_its_own_and_the_clear_one_is_untouched) {
  OutputSpec output = spliced().outputs[0];
  for (const ProtectProfile profile : {ProtectProfile::SrtpGcm, ProtectProfile::SrtpCm}) {
    output.protect = protect_of(profile, static_cast<unsigned>(profile) + 5);
    spliced().outputs.push_back(output);
  }
  make();
  SrtpOpener gcm(spliced().outputs[1].protect);
  SrtpOpener cm(spliced().outputs[2].protect);
  for (unsigned n = 0; n < 100; ++n) offer(rtp_packet(n, n, kOwn, pattern(20 + 11 * n, n)));
  ASSERT_EQ(sink_.frames.size(), 300u);
  std::map<unsigned, std::vector<Bytes>> by_rendition;
  for (std::size_t i = 0; i < sink_.frames.size(); ++i)
    by_rendition[sink_.tags[i].rendition].push_back(sealed_of(sink_.frames[i]));
  for (unsigned n = 0; n < 100; ++n) {
    const Bytes clear = rtp_packet(n, n, kOwn, pattern(20 + 11 * n, n));
    EXPECT_EQ(by_rendition[0][n], clear);
    EXPECT_EQ(gcm.open(by_rendition[1][n], n), clear);
    EXPECT_EQ(cm.open(by_rendition[2][n], n), clear);
  }
  EXPECT_EQ(stage_->created(), 200u);
}

TEST_F(ProtectStageTest, keys_of_both_lengths_seal_in_one_turn) {
  OutputSpec output = spliced().outputs[0];
  spliced().outputs[0].protect = protect_of(ProtectProfile::SrtpCm, 5);
  output.protect = protect_of(ProtectProfile::SrtpCm, 6);
  output.protect.key_bits = 256;
  output.protect.keys = one_key(key_of(key_file_bytes(output.protect), 6));
  spliced().outputs.push_back(output);
  make();
  SrtpOpener narrow(spliced().outputs[0].protect);
  const Bytes clear = rtp_packet(1, 2, kOwn, pattern(200));
  offer(clear);
  ASSERT_EQ(sink_.frames.size(), 2u);
  EXPECT_EQ(narrow.open(sealed_of(sink_.frames[0]), 1), clear);
}

TEST_F(ProtectStageTest, without_a_buffer_for_a_rendition_the_others_leave_all_the_same) {
  OutputSpec output = spliced().outputs[0];
  output.protect = protect_of(ProtectProfile::SrtpGcm);
  spliced().outputs.push_back(output);
  make();
  rte_mbuf* packet = packet_of(rtp_packet(1, 0, kOwn, pattern(60)));
  std::vector<rte_mbuf*> taken(rte_mempool_avail_count(pool()));
  ASSERT_EQ(rte_pktmbuf_alloc_bulk(pool(), taken.data(), static_cast<unsigned>(taken.size())), 0);
  stage_->process({&packet, 1}, Instant{1});
  for (rte_mbuf* one : taken) rte_pktmbuf_free(one);
  ASSERT_EQ(sink_.frames.size(), 1u);
  EXPECT_EQ(sink_.tags[0].rendition, 0);
  EXPECT_EQ(dropped(DropReason::SealCopyFailed), 1u);
}

TEST_F(ProtectStageTest, packets_wait_for_the_end_of_the_turn_to_be_sealed_together) {
  spliced().outputs[0].protect = protect_of(ProtectProfile::SrtpCm);
  make();
  for (unsigned n = 0; n < 200; ++n) {
    rte_mbuf* packet = packet_of(rtp_packet(n, 0, kOwn, pattern(60)));
    stage_->process({&packet, 1}, Instant{1});
    EXPECT_EQ(stage_->held() + sink_.frames.size(), n + 1u);
  }
  EXPECT_EQ(sink_.frames.size(), 128u);
  stage_->work();
  EXPECT_EQ(sink_.frames.size(), 200u);
  EXPECT_EQ(stage_->held(), 0u);
}

TEST_F(ProtectStageTest, streams_beside_it_go_past_untouched) {
  spliced().outputs[0].protect = protect_of(ProtectProfile::SrtpGcm);
  OneWorker worker(spec, pool(), false);
  const Bytes beside = rtp_packet(1, 2, 3, pattern(70));
  send(worker, beside, {239, 1, 0, 2});
  ASSERT_EQ(worker.port.sent.size(), 1u);
  EXPECT_EQ(payload_of(worker.port.sent[0]), beside);
}

TEST_F(ProtectStageTest, what_waits_when_the_stage_ends_is_freed) {
  spliced().outputs[0].protect = protect_of(ProtectProfile::SrtpCm);
  make();
  rte_mbuf* packet = packet_of(rtp_packet(1, 0, kOwn, pattern(60)));
  stage_->process({&packet, 1}, Instant{1});
  EXPECT_EQ(stage_->held(), 1u);
  stage_.reset();  // the pool's baseline is seen by the fixture
}

}  // namespace
}  // namespace castgate::test
