// SPDX-License-Identifier: Apache-2.0
// Loops that seal frames: ours, and those that it is measured against.
#pragma once

#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <srtp2/srtp.h>
#include <vector>

#include <rte_mbuf.h>

#include "dataplane/base/big_endian.h"
#include "dataplane/protect/protect_stage.h"
#include "dataplane/replicate/header_writer.h"
#include "tests/support/one_key.h"

namespace castgate::bench {

inline constexpr unsigned kPackets = 128;  // in memory, over and over
inline constexpr unsigned kUdpAt = 34;
inline constexpr unsigned kPayloadAt = kUdpAt + 8;
inline constexpr unsigned kHeader = 12;
inline constexpr std::uint32_t kSsrc = 0x12345678;

inline std::vector<std::byte> key_bytes_of(std::size_t length) {
  std::vector<std::byte> key(length);
  for (std::size_t i = 0; i < length; ++i) key[i] = static_cast<std::byte>(3 * i + 1);
  return key;
}

inline StreamSpec stream_of(ProtectProfile profile) {
  StreamSpec stream;
  stream.name = "bench";
  OutputSpec& output = stream.outputs.emplace_back();
  ProtectSpec& protect = output.protect;
  protect.profile = profile;
  protect.spi = kFirstSpi;
  protect.inner.to = Endpoint::parse("239.1.0.1:5000").value();
  protect.inner.source = IpAddress::parse("10.1.0.5").value();
  protect.keys = test::one_key(share_key(key_bytes_of(key_file_bytes(protect))));
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

}  // namespace castgate::bench
