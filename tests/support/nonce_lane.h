// SPDX-License-Identifier: Apache-2.0
// Workers whose streams seal in every way, from sources that begin anew again and again to a judge
// of what leaves.
#pragma once

#include <random>
#include <thread>

#include "dataplane/contract/reload.h"
#include "dataplane/stream_kit.h"
#include "tests/support/nonce_judge.h"
#include "tests/support/one_worker.h"

namespace castgate::test {

inline constexpr unsigned kWorkers = 2;
inline constexpr unsigned kStreams = 4;    // of each worker
inline constexpr unsigned kFlows = 7;      // that these seal, of each worker
inline constexpr unsigned kLives = 3;      // starts on one disk
inline constexpr unsigned kRolls = 4;      // in one life
inline constexpr unsigned kRestarts = 15;  // of a source in one life
inline constexpr std::size_t kLength = 24;

inline ProtectSpec sealed_with(ProtectProfile profile, unsigned seed, unsigned keys, unsigned mki) {
  ProtectSpec spec;
  spec.profile = profile;
  spec.key_file = "key " + std::to_string(seed);
  spec.mki_bytes = mki;
  spec.key_bits = seed % 2 == 0 ? 128 : 256;
  spec.spi = 0x1000 * (seed + 1);
  spec.inner.to = Endpoint::parse("239.1.0.1:5000").value();
  spec.inner.source = IpAddress::parse("10.1.0.5").value();
  std::mt19937 random(seed);
  std::vector<std::byte> key(key_file_bytes(spec));
  for (unsigned epoch = 1; epoch <= keys; ++epoch) {
    for (std::byte& byte : key) byte = static_cast<std::byte>(random());
    spec.keys.push_back({epoch, share_key(key), nullptr});
  }
  return spec;
}

// Of worker `w`: SRTP of either kind, ESP, and several renditions of one stream; the last ones keep
// their only keys all the time.
inline std::vector<std::vector<ProtectSpec>> nonce_outputs(unsigned w) {
  constexpr unsigned kKeys = kLives * (kRolls + 2);
  const unsigned own = 10 * w;
  return {{sealed_with(ProtectProfile::SrtpGcm, own, kKeys, 4)},
          {ProtectSpec{}, sealed_with(ProtectProfile::SrtpCm, own + 1, kKeys, 2)},
          {sealed_with(ProtectProfile::EspTunnel, own + 2, kKeys, 0),
           sealed_with(ProtectProfile::SrtpGcm, own + 3, kKeys, 1),
           sealed_with(ProtectProfile::SrtpCm, own + 4, kKeys, 4)},
          {sealed_with(ProtectProfile::EspTunnel, own + 5, 1, 0),
           sealed_with(ProtectProfile::SrtpGcm, own + 6, 1, 0)}};
}

// `each`: packets of one source over all lives.
inline Spec nonce_spec(std::uint64_t each) {
  Spec spec;
  spec.ports.resize(1);
  for (unsigned s = 0; s < kWorkers * kStreams; ++s) {
    StreamSpec& stream = spec.streams.emplace_back();
    stream.name = "stream" + std::to_string(s);
    stream.legs.resize(1);
    stream.legs[0].to = {IpAddress::v4(0xef010000 + s), 5000};
    stream.failover.continuity = Continuity::Splice;
    const auto outputs = nonce_outputs(s / kStreams)[s % kStreams];
    for (const ProtectSpec& protect : outputs) {
      OutputSpec& output = stream.outputs.emplace_back();
      const auto o = static_cast<std::uint32_t>(stream.outputs.size());
      output.name = std::to_string(o);
      output.to = {IpAddress::v4(0xef090000 + (s << 8) + o), 6000};
      output.source = IpAddress::v4(0x0a000009);
      output.protect = protect;
      if (protect.keys.size() > 1)
        output.protect.rekey_packets = static_cast<unsigned>(each / kLives / (kRolls + 1) + 1);
    }
  }
  return spec;
}

// Shows the judge what leaves, by the destination, and lets it go.
class JudgePort final : public Port {
 public:
  explicit JudgePort(NonceJudge& judge) : judge_(judge) { facts_.mac = kOurMac; }
  unsigned receive(unsigned, std::span<rte_mbuf*>) noexcept override { return 0; }
  unsigned transmit(unsigned, std::span<rte_mbuf* const> burst) noexcept override {
    for (const rte_mbuf* packet : burst) {
      const auto* frame = rte_pktmbuf_mtod(packet, const std::uint8_t*);
      const unsigned flow = flow_of[frame[32]][frame[33]];
      if (flow != 0) judge_.see(flow - 1, frame + 42, packet->data_len - 42u);
    }
    rte_pktmbuf_free_bulk(const_cast<rte_mbuf**>(burst.data()),
                          static_cast<unsigned>(burst.size()));
    return static_cast<unsigned>(burst.size());
  }
  const PortFacts& facts() const noexcept override { return facts_; }
  PortStats stats() const override { return {}; }

  unsigned flow_of[kWorkers * kStreams][8] = {};  // and 1 more; 0: in the clear

 private:
  NonceJudge& judge_;
  PortFacts facts_;
};

// A worker's pipeline, from its own sources to what left, for one life.
class NonceLane {
 public:
  NonceLane(const Spec& spec, unsigned worker, JudgePort& port, rte_mempool* pool,
            std::uint64_t life)
      : spec_(spec),
        worker_(worker),
        port_(port),
        pool_(pool),
        random_(life + worker),
        flows_(spec, workers()) {
    std::vector<bool> mine(spec.streams.size());
    for (std::size_t s = 0; s < mine.size(); ++s) mine[s] = s / kStreams == worker;
    pipeline_ = std::make_unique<Pipeline>(PipelineParts{.spec = spec_,
                                                         .flows = flows_,
                                                         .worker = worker,
                                                         .mine = mine,
                                                         .ports = {&port},
                                                         .tx_queues = {0},
                                                         .pool = pool,
                                                         .exits = &exits_,
                                                         .events = &events_});
    for (unsigned s = 0; s < kStreams; ++s) begin_source(sources_.at(s), s);
  }

  // `packets`: from each source.
  void run(std::uint64_t packets) {
    const std::uint64_t restart = packets / kRestarts + 1;
    for (std::uint64_t done = 0; done < packets; done += kBurst / kStreams) {
      if (done % restart < kBurst / kStreams && done != 0) {
        for (unsigned s = 0; s < kStreams; ++s) begin_source(sources_.at(s), s);
        reload();
      }
      std::array<rte_mbuf*, kBurst> burst;
      for (unsigned i = 0; i < kBurst; ++i) burst.at(i) = next(i % kStreams);
      now_ = now_ + std::chrono::microseconds(100);
      pipeline_->receive(0, burst, now_);
      if (pipeline_->next_deadline() <= now_) pipeline_->tick(now_);
      pipeline_->flush();
      if (done % 64 == 0) await_keys();
    }
    pipeline_->drain(now_);
  }
  DropCounts drops() {
    Port* ports[] = {&port_};
    Snapshot made = empty_snapshot(spec_, ports);
    pipeline_->add_counters(made);
    EXPECT_TRUE(made.ledger.balances());
    return made.drops;
  }

 private:
  struct Source {
    std::array<std::uint8_t, 42 + kLength> frame;
    std::uint16_t sequence;
    std::uint32_t timestamp;
  };
  static std::vector<std::uint8_t> workers() {
    std::vector<std::uint8_t> made(std::size_t{kWorkers} * kStreams);
    for (std::size_t s = 0; s < made.size(); ++s) made[s] = static_cast<std::uint8_t>(s / kStreams);
    return made;
  }
  // Any SSRC and numbers, of which it may have had some before.
  void begin_source(Source& source, unsigned s) {
    Frame frame;
    frame.destination = {239, 1, 0, static_cast<std::uint8_t>(worker_ * kStreams + s)};
    frame.to_mac = {1, 0, 0x5e, 1, 0, frame.destination[3]};
    frame.udp_sum = false;
    frame.payload = Bytes(kLength, 0x5a);
    frame.payload[0] = 0x80;
    frame.payload[1] = 33;
    store_be32(frame.payload.data() + 8, static_cast<std::uint32_t>(random_() % 5));
    std::ranges::copy(frame.bytes(), source.frame.begin());
    source.sequence = static_cast<std::uint16_t>(random_() % 3 == 0 ? 0 : random_());
    source.timestamp = static_cast<std::uint32_t>(random_());
  }
  rte_mbuf* next(unsigned s) {
    Source& source = sources_.at(s);
    rte_mbuf* packet = rte_pktmbuf_alloc(pool_);
    auto* frame = reinterpret_cast<std::byte*>(rte_pktmbuf_append(packet, 42 + kLength));
    std::memcpy(frame, source.frame.data(), source.frame.size());
    store_be16(frame + 44, source.sequence++);
    store_be32(frame + 46, source.timestamp += 90);
    return packet;
  }
  // The streams go on as they are.
  void reload() {
    Port* ports[] = {&port_};
    for (unsigned s = 0; s < kStreams; ++s) {
      const auto kit =
          make_kit({.before = spec_, .after = spec_, .ports = ports}, worker_ * kStreams + s);
      pipeline_->install(*kit, now_);
    }
  }
  // A disk may be slower than packets of which no wire brings so many.
  void await_keys() {
    for (unsigned s = 0; s < kStreams; ++s) {
      for (const OutputSpec& output : spec_.streams[worker_ * kStreams + s].outputs) {
        const EpochLease* lease = output.protect.epochs.get();
        while (lease != nullptr && lease->wanted() > lease->allowed()) std::this_thread::yield();
        for (const EpochKey& key : output.protect.keys) {
          if (!key.numbers || !lease || key.epoch > lease->allowed()) continue;
          while (key.numbers->next() == key.numbers->end()) std::this_thread::yield();
        }
      }
    }
  }

  const Spec& spec_;
  unsigned worker_;
  JudgePort& port_;
  rte_mempool* pool_;
  std::mt19937_64 random_;
  FlowTable flows_;
  NoExits exits_;
  NoEvents events_;
  Instant now_{1'000'000'000};
  std::array<Source, kStreams> sources_;
  std::unique_ptr<Pipeline> pipeline_;
};

}  // namespace castgate::test
