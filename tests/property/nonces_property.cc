// SPDX-License-Identifier: Apache-2.0
// No number seals twice under one key: two workers on two threads, sources that begin anew, keys
// that follow each other, reloads and restarts, with the ledgers that a start reads. What is judged
// are the bytes that leave. CASTGATE_NONCES (2 million): how many packets are sealed.
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <spdlog/spdlog.h>
#include <thread>
#include <unistd.h>

#include <rte_lcore.h>

#include "controlplane/keys/epoch_ledger.h"
#include "controlplane/keys/number_ledger.h"
#include "controlplane/keys/ssrc_ledger.h"
#include "tests/support/nonce_lane.h"

namespace castgate::test {
namespace {

std::uint64_t packets_wanted() {
  const char* told = std::getenv("CASTGATE_NONCES");
  return told == nullptr ? 2'000'000 : std::strtoull(told, nullptr, 10);
}

class NoncesPropertyTest : public DriverTest {
 protected:
  void SetUp() override {
    DriverTest::SetUp();
    for (unsigned w = 0; w < kWorkers; ++w) {
      auto made = PacketPool::make({.name = "nonces" + std::to_string(w), .packets = 8191});
      ASSERT_TRUE(made) << made.error().text;
      pools_.push_back(*std::move(made));
      ports_.push_back(std::make_unique<JudgePort>(judges_.at(w)));
    }
    place_ =
        std::filesystem::temp_directory_path() / ("castgate-nonces-" + std::to_string(::getpid()));
    std::filesystem::create_directories(place_);
    spdlog::set_level(spdlog::level::warn);
  }
  void TearDown() override {
    std::filesystem::remove_all(place_);
    for (const PacketPool& one : pools_) EXPECT_EQ(one.in_use(), 0u);
    DriverTest::TearDown();
  }
  // The numbers of ESP begin as if keys had sealed almost 2^32 packets before.
  void know(const Spec& spec) {
    constexpr std::uint64_t kBefore = 0xffff'f000;
    std::ofstream esp(place_ / "esp");
    for (unsigned s = 0; s < spec.streams.size(); ++s) {
      const unsigned w = s / kStreams;
      for (unsigned o = 0; o < spec.streams[s].outputs.size(); ++o) {
        const ProtectSpec& protect = spec.streams[s].outputs[o].protect;
        if (!protect.is_on()) continue;
        ports_[w]->flow_of[s][o + 1] = judges_.at(w).add(protect, kBefore) + 1;
        for (const EpochKey& key : protect.keys)
          if (protect.is_esp()) esp << key_name(*key.key) << " fffff000\n";
      }
    }
  }
  // One start, until `each` packets of each source have left.
  void live(std::uint64_t each, std::uint64_t life) {
    Spec spec = nonce_spec(each * kLives);
    spec.appliance.state_dir = place_.string();
    EpochLedger epochs(place_.string());
    NumberLedger numbers(place_.string());
    epochs.assign(spec, nullptr);
    numbers.assign(spec, nullptr);
    assign_ssrcs(spec, nullptr);
    std::vector<std::thread> threads;
    std::atomic<unsigned> running = kWorkers;
    for (unsigned w = 0; w < kWorkers; ++w) {
      judges_.at(w).restart();
      threads.emplace_back([&, w] {
        rte_thread_register();
        {
          NonceLane lane(spec, w, *ports_[w], pools_[w].get(), life);
          lane.run(each);
          drops_.at(w) = lane.drops();
        }
        --running;
        rte_thread_unregister();
      });
    }
    while (running != 0) {
      epochs.turn();
      numbers.turn();
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
    for (std::thread& thread : threads) thread.join();
  }

  std::vector<PacketPool> pools_;
  std::array<NonceJudge, kWorkers> judges_;
  std::vector<std::unique_ptr<JudgePort>> ports_;
  std::array<DropCounts, kWorkers> drops_{};
  std::filesystem::path place_;
};

TEST_F(NoncesPropertyTest, no_number_seals_twice_under_one_key) {
  const std::uint64_t each = packets_wanted() / kWorkers / kFlows / kLives + 1;
  know(nonce_spec(each * kLives));
  for (std::uint64_t life = 1; life <= kLives; ++life) {
    live(each, life);
    for (unsigned w = 0; w < kWorkers; ++w) {
      ASSERT_EQ(judges_.at(w).fault(), "") << "worker " << w << ", life " << life;
      for (const DropReason never : {DropReason::NonceUsed, DropReason::KeySpent,
                                     DropReason::SealNoRoom, DropReason::SealCopyFailed})
        EXPECT_EQ(drops_.at(w)[static_cast<std::size_t>(never)], 0u) << name_of(never);
    }
  }
  judges_[0].compare(judges_[1]);
  EXPECT_EQ(judges_[0].fault(), "");
  for (const NonceJudge& judge : judges_) {
    const std::uint64_t all = each * kLives * kFlows;
    EXPECT_GT(judge.nonces(), all - all / 50);
    for (unsigned flow = 0; flow + 2 < kFlows; ++flow)
      EXPECT_GT(judge.epochs(flow), kLives * kRolls / 2) << flow;
    EXPECT_GT(judge.opened(), judge.nonces() / NonceJudge::kEach);
    std::printf("%llu numbers, each once; %llu packets opened under theirs\n",
                static_cast<unsigned long long>(judge.nonces()),
                static_cast<unsigned long long>(judge.opened()));
  }
}

// Numbers as no splicing stage would leave them: again, back, and anywhere.
class HostileNumbers {
 public:
  explicit HostileNumbers(unsigned seed) : random_(seed) {}
  std::uint16_t next() {
    const auto dice = static_cast<unsigned>(random_() % 20'000);
    if (dice == 0) last_ = static_cast<std::uint16_t>(random_());
    if (dice < 600) return static_cast<std::uint16_t>(last_ - random_() % 2'000);
    return ++last_;
  }

 private:
  std::mt19937 random_;
  std::uint16_t last_ = 0;
};

class JudgeStage final : public Stage {
 public:
  explicit JudgeStage(NonceJudge& judge) : judge_(judge) {}
  void process(std::span<rte_mbuf* const> burst, Instant) noexcept override {
    for (rte_mbuf* packet : burst) {
      const auto* frame = rte_pktmbuf_mtod(packet, const std::uint8_t*);
      judge_.see(tag_of(packet).rendition, frame + 42, packet->data_len - 42u);
      rte_pktmbuf_free(packet);
    }
  }

 private:
  NonceJudge& judge_;
};

void seal_hostile(NonceJudge& judge, const StreamSpec& stream, rte_mempool* pool,
                  std::uint64_t packets, ProtectStage& stage) {
  JudgeStage sink(judge);
  stage.connect(sink, pool);
  HostileNumbers numbers(7);
  Frame frame;
  frame.payload = Bytes(kLength, 0x5a);
  frame.payload[0] = 0x80;
  const Bytes bytes = frame.bytes();
  for (std::uint64_t done = 0; done < packets; done += kBurst) {
    if (done % (packets / 8 / kBurst * kBurst + kBurst) == 0) {
      Renditions renditions = make_renditions(stream, stage.ciphers());
      stage.install(0, renditions);
    }
    std::array<rte_mbuf*, kBurst> burst;
    for (rte_mbuf*& packet : burst) {
      packet = one_segment(pool, bytes);
      store_be16(rte_pktmbuf_mtod_offset(packet, std::byte*, 44), numbers.next());
      set_tag(packet, {.stream = 0, .leg = 0, .worker = 0, .udp_at = 34, .l3_at = 14, .flags = 0});
    }
    stage.process(burst, {static_cast<std::int64_t>(done)});
    stage.work();
  }
}

TEST_F(NoncesPropertyTest, whatever_numbers_come_to_be_sealed_none_is_twice) {
  const std::uint64_t each = packets_wanted() / kWorkers / 8 + 1;
  std::vector<std::thread> threads;
  std::array<std::uint64_t, kWorkers> used{};
  threads.reserve(kWorkers);
  for (unsigned w = 0; w < kWorkers; ++w) {
    threads.emplace_back([&, w] {
      rte_thread_register();
      StreamSpec stream = nonce_spec(each).streams[w * kStreams + 2];  // ESP and both kinds of SRTP
      for (OutputSpec& output : stream.outputs) {
        output.protect.rekey_packets = static_cast<unsigned>(each / 15 + 1);
        judges_.at(w).add(output.protect);
      }
      const auto stage = make_protect_stage(1);
      seal_hostile(judges_.at(w), stream, pools_[w].get(), each, *stage);
      used.at(w) = stage->drops()[static_cast<std::size_t>(DropReason::NonceUsed)].get();
      rte_thread_unregister();
    });
  }
  for (std::thread& thread : threads) thread.join();
  judges_[0].compare(judges_[1]);
  for (unsigned w = 0; w < kWorkers; ++w) {
    EXPECT_EQ(judges_.at(w).fault(), "") << "worker " << w;
    EXPECT_GT(used.at(w), each / 100);
    EXPECT_EQ(judges_.at(w).nonces() + used.at(w), 3 * ((each + kBurst - 1) / kBurst) * kBurst);
  }
}

}  // namespace
}  // namespace castgate::test
