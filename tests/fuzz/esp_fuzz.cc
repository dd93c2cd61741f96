// SPDX-License-Identifier: Apache-2.0
// ESP as it arrives: genuine packets in any order, changed ones, others. What opens is what its
// sender had, and opens once; what a frame becomes is a frame that the parser takes for a datagram.
// The first two bytes choose the association; then come packets: what to do, how long, for genuine
// ones their number and next header, their bytes.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "dataplane/base/check.h"
#include "dataplane/base/esp/esp_inbound.h"
#include "dataplane/base/esp/esp_inner.h"

namespace castgate {
namespace {

using Bytes = std::vector<std::byte>;

constexpr std::uint32_t kSpi = 0x100;
constexpr std::size_t kEthernet = 14;

struct Suite {
  Ciphers ciphers = *Ciphers::make();
  EspMaster master;
  EspMaster other{.key = {std::byte{1}}};
  Bytes spare = Bytes(512);
};

// Headers before ESP: IPv4 with options, or IPv6 with an extension header.
Bytes headers_of(bool v6, std::size_t more) {
  Bytes made(kEthernet + (v6 ? 40 : 20) + more);
  std::byte* ip = made.data() + kEthernet;
  if (v6) {
    ip[0] = std::byte{0x60};
    ip[6] = std::byte{50};
    ip[7] = std::byte{9};
    if (more != 0) {
      ip[6] = std::byte{0};
      ip[40] = std::byte{50};
      ip[41] = static_cast<std::byte>(more / 8 - 1);
    }
  } else {
    ip[0] = static_cast<std::byte>(0x45 + more / 4);
    ip[8] = std::byte{9};
    ip[9] = std::byte{50};
    std::fill(ip + 20, ip + 20 + more, std::byte{1});
  }
  store_be16(made.data() + kEthernet - 2, v6 ? 0x86dd : 0x0800);
  return made;
}

class Leg {
 public:
  Leg(Suite& suite, unsigned choice, unsigned kind)
      : suite_(suite),
        extended_(choice % 2 == 0),
        window_(ReplayWindow::kSmallest << choice / 2 % 4),
        v6_(kind % 2 != 0),
        headers_(headers_of(v6_, kind / 2 % 2 != 0 ? 8 : 0)),
        sender_(make_secret<EspGcm>(suite.ciphers, suite.master, extended_)),
        inbound_(std::make_unique<EspInbound>(terms())) {
    add_keys(*inbound_);
    selector_.transport = kind / 4 % 2 != 0;
    if (kind / 8 % 2 != 0) selector_.to = Endpoint{IpAddress::v4(0xef010101), 5000};
    if (kind / 16 % 2 != 0) selector_.source = IpAddress::v4(0x0a010005);
  }

  void send(Bytes inner, std::uint8_t next_header, std::uint64_t number, unsigned flip) {
    if (!extended_) number &= 0xffffffff;
    inner.reserve(1);  // empty, it is somewhere
    Bytes packet(EspShape::sealed(inner.size()));
    sender_->seal(suite_.ciphers.manager(), packet.data(), inner, next_header,
                  {.spi = kSpi, .sequence = number, .iv = number});
    if (flip != 0) packet[flip % packet.size()] ^= static_cast<std::byte>(1u << flip % 8);
    const bool changed = flip != 0;
    const auto made = offer(packet);
    if (!made) return;
    CG_CHECK(!changed && made->next_header == next_header &&
             std::ranges::equal(made->inner, inner));
    CG_CHECK(opened_.insert(number).second);
    land(std::move(packet), *made);
  }
  // Whatever it is.
  std::expected<EspGcm::Opened, EspFault> offer(std::span<std::byte> packet) {
    now_ = now_ + Nanoseconds{1'000'000};
    if (is_beside_esp(packet)) return std::unexpected(EspFault::NotEsp);
    const auto made = inbound_->open(suite_.ciphers.manager(), packet, suite_.spare, now_);
    if (made) CG_CHECK(made->inner.data() == packet.data() + EspShape::kHead);
    return made;
  }
  void offer_bytes(Bytes packet) { static_cast<void>(offer(packet)); }

  void pause() { now_ = now_ + EspInbound::kLost; }
  void reload(unsigned choice) {
    window_ = ReplayWindow::kSmallest << choice % 4;
    auto next = std::make_unique<EspInbound>(terms());
    add_keys(*next);
    next->inherit(*inbound_, kSpi);
    std::swap(inbound_, next);
  }

 private:
  EspInbound::Terms terms() const { return {extended_, window_}; }
  // The sender's, and one that nobody uses.
  void add_keys(EspInbound& inbound) const {
    inbound.add(suite_.ciphers, suite_.master, kSpi);
    inbound.add(suite_.ciphers, suite_.other, kSpi + 1);
  }

  // In a frame, of exactly its size.
  void land(Bytes packet, const EspGcm::Opened& opened) {
    Bytes frame = headers_;
    frame.insert(frame.end(), packet.begin(), packet.end());
    const std::size_t inside = headers_.size() + EspShape::kHead;
    const auto clear = clear_frame({.bytes = frame,
                                    .l3_at = kEthernet,
                                    .l4_at = headers_.size(),
                                    .is_v6 = v6_,
                                    .inside = std::span(frame).subspan(inside, opened.inner.size()),
                                    .next_header = opened.next_header},
                                   selector_);
    if (!clear) return;
    CG_CHECK(clear->begin + clear->length <= frame.size());
    PacketLayout layout;
    // What lies behind UDP stays outside, as of a packet that came in the clear.
    const std::span<const std::byte> made(frame.data() + clear->begin, frame.size() - clear->begin);
    CG_CHECK(parse_packet(made, {}, layout) == ParseVerdict::Udp);
    CG_CHECK(layout.udp_at == clear->udp_at && layout.end == clear->length);
    CG_CHECK(layout.l3_at == kEthernet && layout.is_v6 == clear->is_v6);
    if (selector_.to) CG_CHECK(layout.destination_port == selector_.to->udp_port);
  }

  Suite& suite_;
  bool extended_;
  unsigned window_;
  bool v6_;
  Bytes headers_;
  EspSelector selector_;
  Secret<EspGcm> sender_;
  std::unique_ptr<EspInbound> inbound_;
  std::set<std::uint64_t> opened_;
  Instant now_{1};
};

std::uint8_t take(std::span<const std::byte>& from) {
  if (from.empty()) return 0;
  const auto value = std::to_integer<std::uint8_t>(from[0]);
  from = from.subspan(1);
  return value;
}

// Near a turn of 32 bits, where they can be.
std::uint64_t take_number(std::span<const std::byte>& from) {
  const std::int64_t turns = take(from);
  const auto step = static_cast<std::int8_t>(take(from));
  const auto steps = std::int64_t{step} * (take(from) + 1);
  return static_cast<std::uint64_t>(std::max<std::int64_t>((turns << 32) + steps, 0));
}

Bytes take_bytes(std::span<const std::byte>& from, std::size_t length) {
  const std::size_t left = std::min(length, from.size());
  Bytes bytes(from.begin(), from.begin() + static_cast<std::ptrdiff_t>(left));
  from = from.subspan(left);
  return bytes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Suite suite;
  auto input = std::as_bytes(std::span(data, size));
  const unsigned choice = take(input);
  Leg leg(suite, choice, take(input));
  while (!input.empty()) {
    const std::uint8_t what = take(input);
    const std::size_t length = take(input);
    if (what % 8 == 6) {
      leg.pause();
    } else if (what % 8 == 7) {
      leg.reload(static_cast<unsigned>(length));
    } else if (what % 8 == 5) {
      leg.offer_bytes(take_bytes(input, length));
    } else {
      const std::uint64_t number = take_number(input);
      const std::uint8_t next_header = take(input);
      leg.send(take_bytes(input, length), next_header, number, what % 8 == 4 ? what : 0);
    }
  }
  return 0;
}

}  // namespace castgate
