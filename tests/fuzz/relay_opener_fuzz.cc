// SPDX-License-Identifier: Apache-2.0
// What comes to castgate-node sealed: genuine packets in any order, changed ones, others. Whatever
// comes, what opens is what its sender had, and opens once. The first two bytes choose profile,
// window and roll-over counter; then come packets: what to do, how long, for genuine ones which of
// four SSRCs and their number, their bytes.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "controlplane/node/relay_opener.h"
#include "dataplane/base/big_endian.h"
#include "dataplane/base/check.h"
#include "dataplane/base/rtp/header.h"

namespace castgate {
namespace {

using Bytes = std::vector<std::byte>;

constexpr std::uint32_t kSpi = 0x100;

OpenOption option_of(unsigned choice, unsigned roll_over) {
  OpenOption made;
  ProtectSpec& sealed = made.sealed;
  constexpr ProtectProfile kProfiles[] = {ProtectProfile::SrtpGcm, ProtectProfile::SrtpCm,
                                          ProtectProfile::SrtpCm, ProtectProfile::EspTunnel};
  sealed.profile = kProfiles[choice % 4];
  sealed.tag_bits = choice % 4 == 2 ? 32 : 80;
  sealed.spi = kSpi;
  sealed.esn = choice / 4 % 2 == 0;
  const bool has_two = choice / 64 % 2 != 0;
  sealed.mki_bytes = has_two && sealed.is_srtp() ? 1 : 0;
  sealed.keys.resize(has_two ? 2 : 1);
  for (EpochKey& key : sealed.keys) {
    key.epoch = static_cast<std::uint32_t>(&key - sealed.keys.data() + 1);
    const auto each = static_cast<std::byte>(6 + key.epoch);
    key.key = share_key(Bytes(key_file_bytes(sealed), each));
  }
  made.replay_window = ReplayWindow::kSmallest << choice / 8 % 4;
  made.roll_over = roll_over % 4;
  if (choice / 32 % 2 != 0) made.inner_to = Endpoint{IpAddress::v4(0xef010101), 5000};
  return made;
}

// The relay, who has the same key.
class Sender {
 public:
  explicit Sender(const OpenOption& option) : sealed_(option.sealed) {
    const auto bytes = sealed_.keys[0].key->bytes();
    if (sealed_.is_esp()) {
      esp_ = make_secret<EspGcm>(ciphers_, *read_esp_master(bytes, KeyBits::Aes128), sealed_.esn);
      return;
    }
    const auto master = read_srtp_master(bytes, KeyBits::Aes128);
    if (sealed_.profile == ProtectProfile::SrtpGcm) {
      gcm_ = make_secret<SrtpGcm>(ciphers_, *master);
    } else {
      cm_ = make_secret<SrtpCm>(ciphers_, *master, std::size_t{sealed_.tag_bits} / 8);
    }
  }
  bool is_esp() const { return sealed_.is_esp(); }

  Bytes srtp(Bytes packet, std::uint64_t index) {
    const std::size_t length = packet.size();
    const std::size_t header = rtp_header_length(packet.data(), length);
    CG_CHECK(header != 0);
    packet.resize(length + 16);
    const SrtpPacket rtp{packet.data(), length, header, index};
    if (gcm_) {
      gcm_->seal(ciphers_.manager(), rtp);
    } else {
      batch_.add(*cm_, rtp);
      batch_.seal(ciphers_.manager());
    }
    const std::size_t tag = srtp_growth(sealed_) - sealed_.mki_bytes;
    packet.resize(length + tag);
    const auto end = packet.end() - static_cast<std::ptrdiff_t>(gcm_ ? 0 : tag);
    packet.insert(end, sealed_.mki_bytes, std::byte{1});
    return packet;
  }
  Bytes esp(const Bytes& inner, std::uint64_t number) {
    Bytes packet(EspShape::sealed(inner.size()));
    esp_->seal(ciphers_.manager(), packet.data(), inner, kEspIp4,
               {.spi = kSpi, .sequence = number, .iv = number});
    return packet;
  }

 private:
  Ciphers ciphers_ = *Ciphers::make();
  ProtectSpec sealed_;
  Secret<SrtpGcm> gcm_;
  Secret<SrtpCm> cm_;
  Secret<EspGcm> esp_;
  SrtpCmBatch batch_;
};

class Node {
 public:
  explicit Node(const OpenOption& option)
      : option_(option), sender_(option), opener_(*RelayOpener::make(option)) {}

  void send(const Bytes& bytes, unsigned source, std::uint64_t number, unsigned flip) {
    sender_.is_esp() ? send_esp(bytes, number, flip) : send_srtp(bytes, source, number, flip);
  }
  RelayOpener::Verdict offer(const Bytes& bytes) {
    now_ = now_ + Nanoseconds{1'000'000};
    packet_->length = static_cast<std::uint32_t>(bytes.size());
    std::ranges::copy(bytes, packet_->bytes.begin());
    const auto verdict = opener_->open(*packet_, now_);
    CG_CHECK(packet_->length <= bytes.size());
    return verdict;
  }
  // As SIGHUP does.
  void reload() {
    auto next = *RelayOpener::make(option_);
    next->inherit(*opener_);
    std::swap(opener_, next);
  }
  void pause() { now_ = now_ + InboundIndexes::kLost; }

 private:
  void send_srtp(Bytes clear, unsigned source, std::uint64_t index, unsigned flip) {
    clear.resize(std::max(clear.size(), kRtpHeader));
    clear[0] = std::byte{0x80};
    store_be16(clear.data() + 2, static_cast<std::uint16_t>(index));
    store_be32(clear.data() + 8, source % 4);
    judge(sender_.srtp(clear, index), clear, source % 4, index, flip);
  }
  // Only what is inside one datagram can be handed on.
  void send_esp(const Bytes& payload, std::uint64_t number, unsigned flip) {
    constexpr std::size_t kHeaders = 28;
    if (!option_.sealed.esn) number &= 0xffffffff;
    Bytes inner(kHeaders + payload.size());
    inner[0] = std::byte{0x45};
    store_be16(inner.data() + 2, static_cast<std::uint16_t>(kHeaders + payload.size()));
    inner[8] = inner[9] = std::byte{17};  // TTL, UDP
    store_be32(inner.data() + 16, 0xef010101);
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < 20; i += 2) sum += load_be16(inner.data() + i);
    store_be16(inner.data() + 10, static_cast<std::uint16_t>(~(sum % 0xffff)));
    store_be16(inner.data() + 22, 5000);
    store_be16(inner.data() + 24, static_cast<std::uint16_t>(8 + payload.size()));
    std::ranges::copy(payload, inner.begin() + kHeaders);
    judge(sender_.esp(inner, number), payload, 0, number, flip);
  }
  void judge(Bytes sealed, const Bytes& clear, unsigned source, std::uint64_t number,
             unsigned flip) {
    if (flip != 0) sealed[flip % sealed.size()] ^= static_cast<std::byte>(1u << flip % 8);
    if (offer(sealed) != RelayOpener::Verdict::Genuine) return;
    // Of SRTP's first byte nothing but lengths is used before it is authenticated: it is, too.
    CG_CHECK(flip == 0 && std::ranges::equal(std::as_bytes(packet_->payload()), clear));
    CG_CHECK(opened_.emplace(source, number).second);
  }

  OpenOption option_;
  Sender sender_;
  std::unique_ptr<RelayOpener> opener_;
  std::unique_ptr<NodePacket> packet_ = std::make_unique<NodePacket>();
  std::set<std::pair<unsigned, std::uint64_t>> opened_;
  Instant now_{1'000'000'000};
};

std::uint8_t take(std::span<const std::byte>& from) {
  if (from.empty()) return 0;
  const auto value = std::to_integer<std::uint8_t>(from[0]);
  from = from.subspan(1);
  return value;
}

Bytes take_bytes(std::span<const std::byte>& from, std::size_t length) {
  const std::size_t left = std::min(length, from.size());
  Bytes bytes(from.begin(), from.begin() + static_cast<std::ptrdiff_t>(left));
  from = from.subspan(left);
  return bytes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto input = std::as_bytes(std::span(data, size));
  const unsigned choice = take(input);
  Node node(option_of(choice, take(input)));
  const unsigned turn = choice % 4 == 3 ? 32 : 16;
  while (!input.empty()) {
    const std::uint8_t what = take(input);
    const std::size_t length = take(input);
    if (what % 8 == 6) {
      node.pause();
    } else if (what % 8 == 7) {
      node.reload();
    } else if (what % 8 == 5) {
      static_cast<void>(node.offer(take_bytes(input, length)));
    } else {
      const unsigned source = take(input);
      const std::uint64_t turns = take(input) % 8;
      const std::uint64_t high = take(input);
      // The low part is near 0 or near the turn's end.
      std::uint64_t low = high << 8 | take(input);
      if (high >= 0x80) low |= (std::uint64_t{1} << turn) - 0x10000;
      node.send(take_bytes(input, length), source, turns << turn | low, what % 8 == 4 ? what : 0);
    }
  }
  return 0;
}

}  // namespace castgate
