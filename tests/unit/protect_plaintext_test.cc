// SPDX-License-Identifier: Apache-2.0
// Whatever fails, a protected output sends nothing in the clear: every way in which sealing fails,
// for every profile and who seals, alone and beside an output in the clear that must get all.
#include <functional>

#include <gtest/gtest.h>

#include "tests/support/plaintext_lab.h"

namespace castgate::test {
namespace {

using ProtectPlaintextTest = PlaintextLab;
using Lab = PlaintextLab;

struct Failure {
  const char* name;
  std::optional<DropReason> why;
  std::function<bool(const Way&)> fits;
  std::function<void(Lab&)> run;
};

bool any(const Way& /*way*/) {
  return true;
}
bool is_srtp(const Way& way) {
  return way.profile == ProtectProfile::SrtpGcm || way.profile == ProtectProfile::SrtpCm;
}
bool is_esp(const Way& way) {
  return !is_srtp(way);
}
bool on_device(const Way& way) {
  return way.backend == ProtectBackend::Cryptodev;
}

std::vector<Failure> failures_of_keys() {
  return {
      {"the key is spent by packets", DropReason::KeySpent, any,
       [](Lab& lab) {
         lab.sealed().max_packets = 7;
         lab.install();
         lab.offer_some();
       }},
      {"the key is spent by time", DropReason::KeySpent, any,
       [](Lab& lab) {
         lab.sealed().max_time = Nanoseconds{1'000};
         lab.install();
         lab.offer_some({5'000});
         lab.offer_some({6'000});
       }},
      {"the next key may not seal yet", DropReason::KeySpent, any,
       [](Lab& lab) {
         lab.add_key();
         lab.sealed().mki_bytes = is_srtp({lab.sealed().profile, {}, {}}) ? 4 : 0;
         lab.sealed().max_packets = 7;
         lab.sealed().epochs = std::make_shared<EpochLease>(1, 1);
         lab.install();
         lab.offer_some();
       }},
      {"the disk keeps no more numbers", DropReason::NumberNotKept, is_esp,
       [](Lab& lab) {
         lab.sealed().keys[0].numbers = std::make_shared<NumberLease>(1, 8);
         lab.install();
         lab.offer_some();
       }},
      {"all numbers of 32 bits are used", DropReason::KeySpent, is_esp,
       [](Lab& lab) {
         lab.sealed().esn = false;
         lab.sealed().keys[0].numbers =
             std::make_shared<NumberLease>(0xffff'fff8, NumberLease::kAny);
         lab.install();
         lab.offer_some();
       }},
      {"its number was sealed before", DropReason::NonceUsed, is_srtp,
       [](Lab& lab) {
         lab.install();
         lab.offer_some();
         for (unsigned n = 0; n < Lab::kPackets; ++n) {
           Bytes again = lab.next();
           set16(again, 2, n);
           lab.offer(again);
         }
       }},
  };
}

std::vector<Failure> failures_of_packets() {
  return {
      {"there is no room for the tag", DropReason::SealNoRoom, any,
       [](Lab& lab) {
         lab.install();
         lab.offer_some({1}, lab.longest() - 3);
       }},
      {"there is no room for headers", DropReason::SealNoRoom, is_esp,
       [](Lab& lab) {
         lab.install();
         for (unsigned n = 0; n < Lab::kPackets; ++n)
           lab.offer(lab.with_room_before(lab.next(), 7));
       }},
      {"it is no RTP", DropReason::SealNotRtp, is_srtp,
       [](Lab& lab) {
         lab.install();
         for (unsigned n = 0; n < Lab::kPackets; ++n) {
           Bytes packet = lab.next();
           packet[0] = static_cast<std::uint8_t>(n % 2 == 0 ? 0x47 : 0x00);
           lab.offer(packet);
         }
       }},
      {"its header says more than there is", DropReason::SealNotRtp, is_srtp,
       [](Lab& lab) {
         lab.install();
         for (unsigned n = 0; n < Lab::kPackets; ++n) {
           Bytes packet = lab.next(n % 2 == 0 ? 40 : 300);
           packet[0] = n % 2 == 0 ? 0x8f : 0x90;  // CSRCs; an extension of the marker's length
           lab.offer(packet);
         }
       }},
      {"there is no buffer for a copy", DropReason::SealCopyFailed,
       [](const Way& way) { return way.beside; },
       [](Lab& lab) {
         lab.install();
         std::vector<rte_mbuf*> mine;
         mine.reserve(Lab::kPackets);
         for (unsigned n = 0; n < Lab::kPackets; ++n) mine.push_back(lab.packet_of(lab.next()));
         std::vector<rte_mbuf*> taken(rte_mempool_avail_count(lab.pool()));
         ASSERT_EQ(
             rte_pktmbuf_alloc_bulk(lab.pool(), taken.data(), static_cast<unsigned>(taken.size())),
             0);
         for (rte_mbuf* packet : mine) lab.offer(packet);
         for (rte_mbuf* one : taken) rte_pktmbuf_free(one);
       }},
  };
}

std::vector<Failure> failures_of_devices() {
  return {
      {"the device has no operation left", DropReason::CryptoBusy, on_device,
       [](Lab& lab) {
         lab.queue_->most = 7;
         lab.install();
         lab.offer_some();
       }},
      {"more waits for the device than may", DropReason::CryptoBusy, on_device,
       [](Lab& lab) {
         lab.queue_->depth = 3;
         lab.install();
         for (unsigned n = 0; n < DeviceSealer::kMost; n += Lab::kPackets) lab.offer_some({1}, 30);
       }},
      {"the device fails in every way", DropReason::CryptoError, on_device,
       [](Lab& lab) {
         lab.install();
         lab.offer_some();
         for (const auto how :
              {RTE_CRYPTO_OP_STATUS_NOT_PROCESSED, RTE_CRYPTO_OP_STATUS_AUTH_FAILED,
               RTE_CRYPTO_OP_STATUS_INVALID_SESSION, RTE_CRYPTO_OP_STATUS_INVALID_ARGS,
               RTE_CRYPTO_OP_STATUS_ERROR})
           lab.queue_->finish(1, how);
       }},
      {"the device refuses the key", std::nullopt, on_device,
       [](Lab& lab) {
         lab.queue_->refuses = true;
         lab.install();
         lab.offer_some();
         EXPECT_TRUE(lab.queue_->under_way.empty());
       }},
  };
}

void run(Lab& lab, const std::vector<Failure>& failures) {
  for (const Failure& failure : failures) {
    for (const Way& way : every_way()) {
      if (!failure.fits(way)) continue;
      SCOPED_TRACE(std::string(failure.name) + ": " + told(way));
      lab.begin(way);
      failure.run(lab);
      lab.judge(way, failure.why);
    }
  }
}

TEST_F(ProtectPlaintextTest, where_a_key_may_not_seal_nothing_leaves_in_the_clear) {
  run(*this, failures_of_keys());
}

TEST_F(ProtectPlaintextTest, what_cannot_be_sealed_does_not_leave_in_the_clear) {
  run(*this, failures_of_packets());
}

TEST_F(ProtectPlaintextTest, where_a_device_fails_nothing_leaves_in_the_clear) {
  run(*this, failures_of_devices());
}

// Whatever it is that packets wait for when the reload comes.
TEST_F(ProtectPlaintextTest, a_reload_from_any_profile_to_any_other_lets_nothing_go_in_the_clear) {
  for (const Way& from : every_way()) {
    for (const Way& to : every_way()) {
      if (from.beside != to.beside) continue;
      SCOPED_TRACE(told(from) + ", then " + told(to));
      begin(from);
      queue_->is_prompt = true;
      install();
      std::vector<rte_mbuf*> waiting;
      waiting.reserve(kPackets);
      for (unsigned n = 0; n < kPackets; ++n) waiting.push_back(packet_of(next()));
      stage_->process(waiting, {1});
      sealed() = sealed_as(to);
      Renditions renditions = make_renditions(spliced(), stage_->ciphers(), &*queue_);
      stage_->install(0, renditions);
      offer_some();
      judge(to, std::nullopt);
    }
  }
}

TEST_F(ProtectPlaintextTest, what_was_in_the_clear_is_no_more_from_a_reload_on) {
  for (const Way& way : every_way()) {
    SCOPED_TRACE(told(way));
    begin(way);
    sealed() = {};
    install();
    offer_some();
    EXPECT_EQ(sink_.frames.size(), kPackets);
    sink_.frames.clear();
    sink_.tags.clear();
    bodies_.clear();
    offered_ = 0;
    sealed() = sealed_as(way);
    install();
    offer_some();
    judge(way, std::nullopt);
  }
}

// Before any test that starts DPDK and its threads.
TEST(ProtectKeylessDeathTest, without_a_key_there_is_no_rendition_at_all) {
  const Ciphers ciphers = *Ciphers::make();
  FakeCryptoQueue queue;
  for (const Way& way : every_way()) {
    SCOPED_TRACE(told(way));
    const auto dies = [&](const std::function<void(ProtectSpec&)>& change) {
      StreamSpec stream;
      stream.outputs.resize(way.beside ? 2 : 1);
      stream.outputs.back().protect = PlaintextLab::sealed_as(way);
      change(stream.outputs.back().protect);
      EXPECT_DEATH(make_renditions(stream, ciphers, &queue), "broken promise");
    };
    dies([](ProtectSpec& own) { own.keys.clear(); });
    dies([](ProtectSpec& own) { own.keys[0].key = nullptr; });
    dies([](ProtectSpec& own) { own.keys[0].key = share_key(std::vector<std::byte>(5)); });
    dies([](ProtectSpec& own) { own.epochs = std::make_shared<EpochLease>(3, 3); });
  }
}

}  // namespace
}  // namespace castgate::test
