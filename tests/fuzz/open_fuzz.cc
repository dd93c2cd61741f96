// SPDX-License-Identifier: Apache-2.0
// SRTP as it arrives: genuine packets in any order, changed ones, others. Whatever comes, what
// opens gives the same packet when it is sealed again, and opens once. The first byte chooses the
// suite; then come packets: what to do, how long, for genuine ones where they count, their bytes.
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "dataplane/base/check.h"
#include "dataplane/base/protect/secret_memory.h"
#include "dataplane/base/srtp/inbound_indexes.h"
#include "dataplane/base/srtp/inbound_packet.h"
#include "dataplane/base/srtp/srtp_cm.h"
#include "dataplane/base/srtp/srtp_gcm.h"

namespace castgate {
namespace {

using Bytes = std::vector<std::byte>;

struct Suite {
  Ciphers ciphers = *Ciphers::make();
  SrtpGcm gcm{ciphers, {}};
  SrtpCm cm{ciphers, {}, 10};
  SrtpCm cm_short{ciphers, {}, 4};
  SrtpCmBatch batch;
};

// A leg's keys and indexes, and a sender that has them as well.
class Leg {
 public:
  Leg(Suite& suite, unsigned choice)
      : suite_(suite),
        cm_(choice % 3 == 0   ? nullptr
            : choice % 3 == 1 ? &suite.cm
                              : &suite.cm_short),
        window_(ReplayWindow::kSmallest << choice / 3 % 4),
        indexes_(window_, choice / 12) {}

  // Seals what can be, one bit of it changed where `flip` names one.
  void send(Bytes clear, std::uint64_t index, unsigned flip) {
    if (clear.size() < kRtpHeader) clear.resize(kRtpHeader);
    store_be16(clear.data() + 2, static_cast<std::uint16_t>(index));
    const std::size_t header = rtp_header_length(clear.data(), clear.size());
    if (header == 0) return offer(std::move(clear));
    Bytes packet = seal(clear, header, index);
    if (flip != 0) packet[flip % packet.size()] ^= static_cast<std::byte>(1u << flip % 8);
    offer(std::move(packet));
  }

  // `packet` is of exactly its size, so that a read past its end is seen.
  void offer(Bytes packet) {
    now_ = now_ + Nanoseconds{1'000'000};
    const Bytes came = packet;
    InboundPacket in;
    if (!read_inbound(packet.data(), packet.size(), tag(), in)) return;
    CG_CHECK(in.rtp.header >= kRtpHeader && in.rtp.header <= in.rtp.length);
    if (!indexes_.guess(in.ssrc, in.sequence, now_, in.rtp.index)) return;
    CG_CHECK((in.rtp.index & 0xffff) == in.sequence && in.rtp.index >> 48 == 0);
    if (!open(in.rtp)) return indexes_.miss(in.ssrc);
    packet.resize(in.rtp.length);
    CG_CHECK(seal(packet, in.rtp.header, in.rtp.index) == came);
    if (!indexes_.commit(in.ssrc, in.rtp.index, now_)) return;
    CG_CHECK(!indexes_.commit(in.ssrc, in.rtp.index, now_));
  }

  void pause() { now_ = now_ + InboundIndexes::kLost; }
  // As a reload does, with the same key or another one.
  void reload(unsigned choice) {
    window_ = ReplayWindow::kSmallest << choice % 4;
    InboundIndexes next(window_, 0);
    if (choice / 4 % 2 == 0) {
      next.inherit(indexes_);
    } else {
      next.go_on_after(indexes_);
    }
    std::swap(indexes_, next);
  }

 private:
  static constexpr std::size_t kTagRoom = 16;

  std::size_t tag() const { return cm_ == nullptr ? SrtpGcm::kTag : cm_->tag(); }
  Bytes seal(Bytes packet, std::size_t header, std::uint64_t index) {
    const std::size_t length = packet.size();
    packet.resize(length + kTagRoom);
    const SrtpPacket rtp{packet.data(), length, header, index};
    if (cm_ == nullptr) {
      suite_.gcm.seal(suite_.ciphers.manager(), rtp);
    } else {
      suite_.batch.add(*cm_, rtp);
      suite_.batch.seal(suite_.ciphers.manager());
    }
    packet.resize(length + tag());
    return packet;
  }
  bool open(const SrtpPacket& rtp) {
    if (cm_ == nullptr) return suite_.gcm.open(suite_.ciphers.manager(), rtp);
    suite_.batch.add(*cm_, rtp);
    return suite_.batch.open(suite_.ciphers.manager())[0];
  }

  Suite& suite_;
  const SrtpCm* cm_;
  unsigned window_;
  InboundIndexes indexes_;
  Instant now_{1};
};

std::uint8_t take(std::span<const std::byte>& from) {
  if (from.empty()) return 0;
  const auto value = std::to_integer<std::uint8_t>(from[0]);
  from = from.subspan(1);
  return value;
}

std::uint32_t take32(std::span<const std::byte>& from) {
  std::uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value = value << 8 | take(from);
  return value;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Suite suite;
  auto input = std::as_bytes(std::span(data, size));
  Leg leg(suite, take(input));
  while (!input.empty()) {
    const std::uint8_t what = take(input);
    const std::size_t length = std::min<std::size_t>(take(input), input.size());
    if (what % 8 == 6) {
      leg.pause();
    } else if (what % 8 == 7) {
      leg.reload(static_cast<unsigned>(length));
    } else {
      const std::uint64_t index = what % 8 < 5 ? take32(input) : 0;
      const std::size_t left = std::min(length, input.size());
      Bytes bytes(input.begin(), input.begin() + static_cast<std::ptrdiff_t>(left));
      input = input.subspan(left);
      if (what % 8 == 5) {
        leg.offer(std::move(bytes));
      } else {
        leg.send(std::move(bytes), index, what % 8 == 4 ? what : 0);
      }
    }
  }
  return 0;
}

}  // namespace castgate
