// SPDX-License-Identifier: Apache-2.0
// deploy/bench.sh protect: what sealing a packet costs in the stage, against IPsec-MB's own call,
// libsrtp2 and librte_ipsec, each measured in the same rounds. A row per figure: name, value,
// floor, goal, verdict; exits 1 where a floor is missed.
#include <array>
#include <cstdlib>
#include <fmt/format.h>
#include <functional>
#include <optional>
#include <srtp2/srtp.h>

#include <rte_cycles.h>
#include <rte_mbuf.h>

#include "dataplane/base/big_endian.h"
#include "dataplane/protect/protect_stage.h"
#include "dataplane/replicate/header_writer.h"
#include "drivers/packet_pool.h"
#include "tests/bench/figures.h"
#include "tests/bench/ipsec_peer.h"
#include "tests/bench/path_scene.h"
#include "tests/bench/start.h"

namespace castgate::bench {
namespace {

constexpr std::uint64_t kPerRound = 400'000;  // packets
constexpr unsigned kPackets = 128;            // in memory, over and over
constexpr unsigned kUdpAt = 34;
constexpr unsigned kPayloadAt = kUdpAt + 8;
constexpr unsigned kHeader = 12;
constexpr std::uint32_t kSsrc = 0x12345678;

std::vector<std::byte> key_bytes_of(std::size_t length) {
  std::vector<std::byte> key(length);
  for (std::size_t i = 0; i < length; ++i) key[i] = static_cast<std::byte>(3 * i + 1);
  return key;
}

StreamSpec stream_of(ProtectProfile profile) {
  StreamSpec stream;
  stream.name = "bench";
  OutputSpec& output = stream.outputs.emplace_back();
  ProtectSpec& protect = output.protect;
  protect.profile = profile;
  protect.spi = kFirstSpi;
  protect.inner.to = Endpoint::parse("239.1.0.1:5000").value();
  protect.inner.source = IpAddress::parse("10.1.0.5").value();
  protect.key = share_key(key_bytes_of(key_file_bytes(protect)));
  return stream;
}

// Frames of RTP that are sealed again and again, each time with the next number.
class Frames {
 public:
  // `payload`: bytes from the RTP header on.
  Frames(rte_mempool* pool, unsigned payload) : payload_(payload), packets_(kPackets) {
    if (rte_pktmbuf_alloc_bulk(pool, packets_.data(), kPackets) != 0) std::exit(EXIT_FAILURE);
    for (rte_mbuf* packet : packets_) {
      std::byte* at = rtp_of(packet);
      std::memset(at, 0x5a, payload);
      at[0] = std::byte{0x80};
      at[1] = std::byte{33};
      store_be32(at + 8, kSsrc);
    }
  }
  ~Frames() {
    for (rte_mbuf* packet : packets_) rte_pktmbuf_free(packet);
  }
  Frames(const Frames&) = delete;
  Frames& operator=(const Frames&) = delete;

  static std::byte* rtp_of(rte_mbuf* packet) {
    return rte_pktmbuf_mtod_offset(packet, std::byte*, kPayloadAt);
  }
  unsigned payload() const { return payload_; }

  // As classify would leave the next burst.
  std::span<rte_mbuf*> next() {
    const std::span<rte_mbuf*> burst(packets_.data() + at_, kBurst);
    at_ = (at_ + kBurst) % kPackets;
    for (rte_mbuf* packet : burst) {
      packet->data_off = RTE_PKTMBUF_HEADROOM;
      packet->data_len = static_cast<std::uint16_t>(kPayloadAt + payload_);
      packet->pkt_len = packet->data_len;
      set_tag(packet,
              {.stream = 0, .leg = 0, .worker = 0, .udp_at = kUdpAt, .l3_at = 14, .flags = 0});
      store_be16(rtp_of(packet) + 2, ++sequence_);
    }
    return burst;
  }

 private:
  unsigned payload_;
  std::vector<rte_mbuf*> packets_;
  unsigned at_ = 0;
  std::uint16_t sequence_ = 0;
};

class Nowhere final : public Stage {
 public:
  void process(std::span<rte_mbuf* const> burst, Instant) noexcept override {
    packets += burst.size();
  }
  std::uint64_t packets = 0;
};

// What replicate then does for one group of ESP.
class EspGroup final : public Stage {
 public:
  EspGroup() {
    OutputSpec output;
    output.to = Endpoint::parse("239.9.0.1:5000").value();
    output.source = IpAddress::parse("10.9.0.9").value();
    output.raw_esp = true;
    headers_ = make_template(output, PortSpec{}, MacAddress{});
  }
  void process(std::span<rte_mbuf* const> burst, Instant) noexcept override {
    for (rte_mbuf* packet : burst) {
      auto* frame = rte_pktmbuf_mtod(packet, std::uint8_t*);
      const std::size_t sealed = packet->data_len - HeaderTemplate::kShort;
      write_plain_raw_headers(frame + HeaderTemplate::kShort, sealed, frame[15], headers_);
      rte_pktmbuf_adj(packet, HeaderTemplate::kShort - HeaderTemplate::kRaw);
      ++headers_.packets;
    }
    packets += burst.size();
  }
  std::uint64_t packets = 0;

 private:
  OutputTemplate headers_;
};

// The stage as a worker runs it, a turn a burst, or as many as a batch takes.
template <class Next>
class StageLoop {
 public:
  StageLoop(ProtectProfile profile, unsigned bursts_a_turn)
      : stage_(make_protect_stage(1)), bursts_a_turn_(bursts_a_turn) {
    Renditions renditions = make_renditions(stream_of(profile), stage_->ciphers());
    stage_->connect(next_, nullptr);
    stage_->install(0, renditions);
  }
  std::uint64_t run(Frames& frames, std::uint64_t packets) {
    for (std::uint64_t n = 0; n < packets; n += std::uint64_t{bursts_a_turn_} * kBurst) {
      for (unsigned b = 0; b < bursts_a_turn_; ++b) stage_->process(frames.next(), Instant{1});
      stage_->work();
    }
    return packets;
  }
  bool sealed_all(std::uint64_t packets) const {
    return next_.packets == packets && stage_->packets(0) == packets;
  }

 private:
  std::unique_ptr<ProtectStage> stage_;
  Next next_;
  unsigned bursts_a_turn_;
};

// IPsec-MB's call over the same frames, and nothing else.
class BareGcm {
 public:
  BareGcm() : key_(make_secret<GcmKey>(ciphers_, key_bytes_of(16))) {}
  std::uint64_t run(Frames& frames, std::uint64_t packets) {
    constexpr std::array<std::byte, GcmKey::kNonce> kNonce{};
    for (std::uint64_t n = 0; n < packets; n += kBurst) {
      for (rte_mbuf* packet : frames.next()) {
        std::byte* rtp = Frames::rtp_of(packet);
        key_->seal(ciphers_.manager(), {.to = rtp + kHeader,
                                        .from = rtp + kHeader,
                                        .length = frames.payload() - kHeader,
                                        .nonce = kNonce.data(),
                                        .bound = {rtp, kHeader},
                                        .tag = rtp + frames.payload()});
      }
    }
    return packets;
  }

 private:
  Ciphers ciphers_ = *Ciphers::make();
  Secret<GcmKey> key_;
};

class Libsrtp {
 public:
  explicit Libsrtp(ProtectProfile profile) {
    static const bool ready = srtp_init() == srtp_err_status_ok;
    if (!ready) std::exit(EXIT_FAILURE);
    const bool gcm = profile == ProtectProfile::SrtpGcm;
    if (gcm) {
      srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy_.rtp);
    } else {
      srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy_.rtp);
    }
    policy_.rtcp = policy_.rtp;
    key_ = key_bytes_of(gcm ? 28 : 30);
    policy_.key = reinterpret_cast<unsigned char*>(key_.data());
    policy_.ssrc = {ssrc_any_outbound, 0};
    if (srtp_create(&session_, &policy_) != srtp_err_status_ok) std::exit(EXIT_FAILURE);
  }
  ~Libsrtp() { srtp_dealloc(session_); }
  Libsrtp(const Libsrtp&) = delete;
  Libsrtp& operator=(const Libsrtp&) = delete;

  std::uint64_t run(Frames& frames, std::uint64_t packets) {
    for (std::uint64_t n = 0; n < packets; n += kBurst) {
      for (rte_mbuf* packet : frames.next()) {
        int length = static_cast<int>(frames.payload());
        if (srtp_protect(session_, Frames::rtp_of(packet), &length) != srtp_err_status_ok)
          std::exit(EXIT_FAILURE);
      }
    }
    return packets;
  }

 private:
  srtp_policy_t policy_{};
  std::vector<std::byte> key_;
  srtp_t session_ = nullptr;
};

struct Cost {
  double ours;
  double unit;
};

// Medians over the rounds of both, one after the other in each.
Cost interleaved(unsigned rounds, const std::function<std::uint64_t()>& ours,
                 const std::function<std::uint64_t()>& unit) {
  std::vector<double> costs;
  std::vector<double> units;
  for (unsigned round = 0; round < rounds; ++round) {
    costs.push_back(cycles_per_packet(ours));
    units.push_back(cycles_per_packet(unit));
  }
  return {median(costs), median(units)};
}

struct Peer {
  ProtectProfile profile;
  const char* name;
  unsigned payload;
  unsigned bursts_a_turn;
  double floor;
  double goal;
};

constexpr std::array kPeers{
    Peer{ProtectProfile::SrtpGcm, "srtp_gcm", 64, 1, 12, 17},
    Peer{ProtectProfile::SrtpGcm, "srtp_gcm", 1'328, 1, 3.5, 4.1},
    Peer{ProtectProfile::SrtpCm, "srtp_cm", 64, 4, 15, 20},
    Peer{ProtectProfile::SrtpCm, "srtp_cm", 1'328, 4, 9, 11},
};

void must(bool holds, const char* what) {
  if (holds) return;
  fmt::print(stderr, "{}\n", what);
  std::exit(EXIT_FAILURE);
}

struct Encapsulation {
  unsigned inside;  // the IP packet that is sealed, bytes
  double floor;
  double goal;
};
constexpr std::array kEncapsulations{Encapsulation{64, 0.90, 0.63}, Encapsulation{512, 0.95, 0.80},
                                     Encapsulation{1'328, 1.0, 0.91}};

// Both make the same bytes: headers outside, ESP, the packet inside. That inside we write anew.
bool measure_esp(unsigned rounds, rte_mempool* pool, std::string& cycles) {
  constexpr unsigned kHeaders = 28;
  bool good = true;
  IpsecPeer peer;
  for (const Encapsulation& row : kEncapsulations) {
    Frames others(pool, row.inside - kHeaders);
    Frames frames(pool, row.inside - kHeaders);
    StageLoop<EspGroup> stage(ProtectProfile::EspTunnel, 1);
    const Cost cost = interleaved(
        rounds, [&] { return stage.run(frames, kPerRound); },
        [&] {
          for (std::uint64_t n = 0; n < kPerRound; n += kBurst) peer.encapsulate(others.next());
          return kPerRound;
        });
    must(stage.sealed_all(rounds * kPerRound), "the stage did not seal every packet");
    const std::string name = fmt::format("esp_tunnel {} B", row.inside);
    good &= print({fmt::format("{}: stage and headers / librte_ipsec", name), cost.ours / cost.unit,
                   row.floor, row.goal, "{:.2f}"});
    cycles +=
        fmt::format("{:<62} {:8.0f} {:8.0f}\n", name + ", librte_ipsec", cost.ours, cost.unit);
  }
  return good;
}

// What sealing adds to a copy that a client gets.
bool measure_path(unsigned rounds, const BridgeParts& parts, std::string& cycles) {
  constexpr std::uint64_t kMerged = 2'000;  // a round
  PathScene sealed(stream_of(ProtectProfile::SrtpGcm).outputs[0].protect, parts);
  PathScene clear({}, parts);
  const Cost cost = interleaved(
      rounds, [&] { return sealed.run(kMerged); }, [&] { return clear.run(kMerged); });
  for (PathScene* scene : {&sealed, &clear}) {
    const std::string fault = scene->audit();
    must(fault.empty(), fault.c_str());
  }
  cycles += fmt::format("{:<62} {:8.1f} {:8.1f}\n", "a copy of 1000 clients', sealed and clear",
                        cost.ours, cost.unit);
  return print({"merge, protect, 1000 clients / the same in the clear, a copy",
                cost.ours / cost.unit, 1.10, 1.03, "{:.2f}"});
}

// RTP's header is not encrypted: sizes are of what is.
bool measure(unsigned rounds, const BridgeParts& parts, std::optional<std::size_t> only) {
  rte_mempool* pool = parts.pool;
  bool good = true;
  fmt::print("{:<64} {:>10} {:>9} {:>9}  {}\n", "figure", "value", "floor", "goal", "verdict");
  std::string cycles;
  for (const unsigned size : {64u, 512u, 1'328u}) {
    if (only.value_or(0) != 0) break;
    Frames frames(pool, size + kHeader);
    Frames others(pool, size + kHeader);  // whose numbers are nothing to the stage
    StageLoop<Nowhere> stage(ProtectProfile::SrtpGcm, 1);
    BareGcm bare;
    const Cost cost = interleaved(
        rounds, [&] { return stage.run(frames, kPerRound); },
        [&] { return bare.run(others, kPerRound); });
    must(stage.sealed_all(rounds * kPerRound), "the stage did not seal every packet");
    good &= print({fmt::format("srtp_gcm {} B: stage less the bare call, cycles", size),
                   cost.ours - cost.unit, 60, 40, "{:.0f}"});
    cycles += fmt::format("{:<62} {:8.0f} {:8.0f}\n", fmt::format("srtp_gcm {} B, bare call", size),
                          cost.ours, cost.unit);
  }
  for (const Peer& peer : kPeers) {
    if (only.value_or(1) != 1) break;
    Frames frames(pool, peer.payload + kHeader);
    Frames others(pool, peer.payload + kHeader);
    StageLoop<Nowhere> stage(peer.profile, peer.bursts_a_turn);
    Libsrtp libsrtp(peer.profile);
    const Cost cost = interleaved(
        rounds, [&] { return stage.run(frames, kPerRound); },
        [&] { return libsrtp.run(others, kPerRound / 8); });
    must(stage.sealed_all(rounds * kPerRound), "the stage did not seal every packet");
    const std::string name = fmt::format("{} {} B", peer.name, peer.payload);
    good &= print_at_least({fmt::format("{}: libsrtp2 / stage", name), cost.unit / cost.ours,
                            peer.floor, peer.goal, "{:.1f}"});
    cycles += fmt::format("{:<62} {:8.0f} {:8.0f}\n", name + ", libsrtp2", cost.ours, cost.unit);
  }
  if (only.value_or(2) == 2) good &= measure_esp(rounds, pool, cycles);
  if (only.value_or(3) == 3) good &= measure_path(rounds, parts, cycles);
  fmt::print("\n{:<62} {:>8} {:>8}\n{}", "cycles a packet", "stage", "unit", cycles);
  fmt::print("time stamp counter: {:.3f} MHz\n", static_cast<double>(rte_get_tsc_hz()) / 1e6);
  return good;
}

int main_of(const Arguments& arguments) {
  if (!start(arguments, 512ull << 20)) return 2;
  BridgeGround ground;
  return measure(arguments.rounds, ground.parts(), arguments.only) ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace
}  // namespace castgate::bench

int main(int argc, char** argv) {
  return castgate::bench::main_of(castgate::bench::read_arguments(argc, argv, 4));
}
