// SPDX-License-Identifier: Apache-2.0
// A protect stage, alone or beside an output in the clear, and a judge of what may not leave it.
#pragma once

#include <algorithm>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "tests/support/byte_windows.h"
#include "tests/support/fake_crypto_queue.h"
#include "tests/support/protect_lab.h"

namespace castgate::test {

struct Way {
  ProtectProfile profile;
  ProtectBackend backend;
  bool beside;  // an output in the clear
};

inline std::string told(const Way& way) {
  return "profile " + std::to_string(static_cast<int>(way.profile)) +
         (way.backend == ProtectBackend::Cryptodev ? ", device" : ", worker") +
         (way.beside ? ", beside one in the clear" : ", alone");
}

inline std::vector<Way> every_way() {
  std::vector<Way> ways;
  for (const ProtectProfile profile :
       {ProtectProfile::SrtpGcm, ProtectProfile::SrtpCm, ProtectProfile::EspTunnel,
        ProtectProfile::EspTunnelPreserve, ProtectProfile::EspTransport}) {
    for (const bool beside : {false, true}) {
      ways.push_back({profile, ProtectBackend::IpsecMb, beside});
      if (profile != ProtectProfile::SrtpCm)
        ways.push_back({profile, ProtectBackend::Cryptodev, beside});
    }
  }
  return ways;
}

class PlaintextLab : public ProtectLab {
 public:
  static constexpr unsigned kPackets = 20;
  using DriverTest::pool;
  using ProtectLab::offer;
  using ProtectLab::packet_of;

  // As one of the ways wants it; a fault may then change the spec.
  void begin(const Way& way) {
    stage_.reset();
    sink_.frames.clear();
    sink_.tags.clear();
    bodies_.clear();
    offered_ = 0;
    queue_.emplace();
    queue_->scrambles = true;
    spliced().outputs.resize(1);
    spliced().outputs[0].protect = {};
    if (way.beside) spliced().outputs.push_back(spliced().outputs[0]);
    sealed() = sealed_as(way);
  }
  static ProtectSpec sealed_as(const Way& way) {
    ProtectSpec made;
    made.profile = way.profile;
    made.backend = way.backend;
    made.spi = 0x1000;
    made.inner.to = Endpoint::parse("239.1.0.1:5000").value();
    made.inner.source = IpAddress::parse("10.1.0.5").value();
    for (const std::uint32_t epoch : {1u, 2u})
      made.keys.push_back({epoch, key_of(key_file_bytes(made), epoch), nullptr});
    made.keys.resize(1);
    return made;
  }
  ProtectSpec& sealed() { return spliced().outputs.back().protect; }
  void add_key() {
    ProtectSpec& own = sealed();
    own.keys.push_back({2, key_of(key_file_bytes(own), 2), nullptr});
  }

  void install() {
    if (!stage_) {
      stage_ = make_protect_stage(4, &*queue_);
      stage_->connect(sink_, pool());
    }
    settle();
    Renditions renditions = make_renditions(spliced(), stage_->ciphers(), &*queue_);
    stage_->install(0, renditions);
  }
  void settle() {
    if (!stage_) return;
    do {
      queue_->finish_all();
      stage_->work();
    } while (stage_->held() != 0);
  }
  // With a marker and noise in it.
  Bytes next(std::size_t length = 300) {
    Bytes body(length);
    for (std::uint8_t& byte : body) byte = static_cast<std::uint8_t>(random_());
    constexpr std::string_view kMarker = "castgate's plaintext marker";
    std::copy_n(kMarker.begin(), std::min(length, kMarker.size()), body.begin());
    bodies_.push_back(body);
    return rtp_packet(offered_++, 0, kOwn, body);
  }
  void offer_some(Instant now = {1}, std::size_t length = 300) {
    for (unsigned n = 0; n < kPackets; ++n) offer(next(length), now);
  }
  // A frame's bytes as they stand, with so much room before it in its buffer.
  rte_mbuf* with_room_before(const Bytes& payload, std::uint16_t room) {
    rte_mbuf* packet = packet_of(payload);
    std::memmove(static_cast<std::byte*>(packet->buf_addr) + room,
                 rte_pktmbuf_mtod(packet, const std::byte*), packet->data_len);
    packet->data_off = room;
    return packet;
  }
  std::size_t longest() const {
    return std::size_t{rte_pktmbuf_data_room_size(pool())} - RTE_PKTMBUF_HEADROOM - kPayload - 12;
  }

  // `why`: what became of each packet that did not leave, and some did not; none: each left.
  void judge(const Way& way, std::optional<DropReason> why) {
    settle();
    const Windows windows(bodies_);
    std::uint64_t clear = 0;
    std::uint64_t left = 0;
    for (std::size_t i = 0; i < sink_.frames.size(); ++i) {
      const bool is_clear = way.beside && sink_.tags[i].rendition == 0;
      if (is_clear) {
        EXPECT_TRUE(windows.any_in(sink_.frames[i])) << "the clear output's is another";
      } else {
        EXPECT_FALSE(windows.any_in(sink_.frames[i])) << "in the clear";
      }
      ++(is_clear ? clear : left);
    }
    if (way.beside) {
      EXPECT_EQ(clear, offered_);
    }
    std::uint64_t dropped_in_all = 0;
    for (const Counter& counter : stage_->drops()) dropped_in_all += counter.get();
    EXPECT_EQ(left + dropped_in_all, offered_);
    EXPECT_EQ(dropped_in_all, why ? dropped(*why) : 0u);
    EXPECT_EQ(dropped_in_all != 0, why.has_value());
    stage_.reset();
  }

  std::optional<FakeCryptoQueue> queue_;
  std::vector<Bytes> bodies_;
  std::mt19937 random_{41};
  unsigned offered_ = 0;
};

}  // namespace castgate::test
