// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/generator_port.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "dataplane/base/big_endian.h"
#include "dataplane/base/checksum.h"

namespace castgate::bench {
namespace {

constexpr unsigned kHeaders = 54;
constexpr unsigned kMoldHeaders = 64;
constexpr unsigned kFrame = 42 + kPayload;
constexpr unsigned kRtp = 42;
constexpr unsigned kTsPacket = 188;
constexpr unsigned kTsFrame = kHeaders + kTsPackets * kTsPacket;
constexpr unsigned kMold = 42;
constexpr unsigned kBlock = (kPayload - 20) / kMessages;  // a message with its length
static_assert(kBlock * kMessages + 20 == kPayload);

// What every payload holds once and for all: noise, and where messages stand their lengths.
std::vector<std::uint8_t> filling() {
  std::vector<std::uint8_t> made(kFrame, 0x5a);
  for (unsigned m = 0; m < kMessages; ++m) {
    store_be16(&made[kMold + 20 + m * kBlock], static_cast<std::uint16_t>(kBlock - 2));
  }
  return made;
}

// Everything but the sequence number; the UDP checksum is that of sequence 0.
void write_template(std::uint8_t* to, unsigned leg, unsigned stream,
                    const GeneratorOptions& options) {
  const IpAddress group = group_of(leg, stream);
  const MacAddress mac = multicast_mac(group);
  const unsigned length = options.mpeg_ts ? kTsFrame : kFrame;
  std::memset(to, 0, kMoldHeaders);
  std::memcpy(to, mac.bytes.data(), 6);
  to[6] = 2;
  store_be16(to + 12, 0x0800);
  to[14] = 0x45;
  store_be16(to + 16, static_cast<std::uint16_t>(length - 14));
  to[22] = 16;
  to[23] = 17;
  store_be32(to + 26, 0x0a010005u + leg);
  std::memcpy(to + 30, group.bytes().data() + 12, 4);
  const auto sum = static_cast<std::uint16_t>(~fold_sum(ones_sum(to + 14, 20)));
  std::memcpy(to + 24, &sum, 2);
  store_be16(to + 34, 4000);
  store_be16(to + 36, kUdpPort);
  store_be16(to + 38, static_cast<std::uint16_t>(length - 34));
  if (options.moldudp64) {
    std::ranges::copy(std::string_view("BENCH00001"), to + kMold);
    store_be16(to + kMold + 18, kMessages);
    store_be16(to + kMold + 20, kBlock - 2);
    return;
  }
  to[kRtp] = 0x80;
  to[kRtp + 1] = 33;
  store_be32(to + kRtp + 8, 0xca5700u + stream);
  if (!options.udp_checksum) return;
  std::uint64_t total = ones_sum(to + 26, 8) + ones_sum(to + 34, 20);
  total += std::uint64_t{std::byteswap(static_cast<std::uint16_t>(8 + kPayload))} + (17u << 8);
  total += ones_sum(filling().data() + kHeaders, kPayload - 12);
  const auto checksum = static_cast<std::uint16_t>(~fold_sum(total));
  std::memcpy(to + 40, &checksum, 2);
}

}  // namespace

IpAddress group_of(unsigned leg, unsigned stream) {
  return IpAddress::v4(0xef000000u | (leg + 1) << 16 | stream);
}

GeneratorPort::GeneratorPort(const GeneratorOptions& options, rte_mempool* pool)
    : options_(options),
      pool_(pool),
      lines_(options.streams),
      waiting_(std::uint64_t{options.behind} * options.streams),
      random_(options.seed * 0x9e3779b97f4a7c15ull | 1),
      threshold_(static_cast<std::uint64_t>(options.loss * 4294967296.0)) {
  facts_.name = "generator";
  facts_.driver = "generator";
  for (unsigned s = 0; s < options.streams; ++s) {
    write_template(lines_[s].header, options.leg, s, options);
    lines_[s].sequence = 0;
  }
  if (options.written_ahead == 0) return;
  ahead_.resize(options.written_ahead);
  for (std::size_t i = 0; i < ahead_.size(); ++i) {
    if (make({&ahead_[i], 1}) != 1) std::abort();
  }
}

GeneratorPort::~GeneratorPort() {
  for (rte_mbuf* packet : ahead_) rte_pktmbuf_free(packet);
}

void GeneratorPort::prefill(rte_mempool* pool) {
  std::vector<std::uint8_t> content = filling();
  rte_mempool_obj_iter(
      pool,
      [](rte_mempool*, void* from, void* object, unsigned) {
        auto* packet = static_cast<rte_mbuf*>(object);
        std::memcpy(static_cast<char*>(packet->buf_addr) + RTE_PKTMBUF_HEADROOM, from, kFrame);
      },
      content.data());
}

bool GeneratorPort::lose() noexcept {
  random_ ^= random_ << 13;
  random_ ^= random_ >> 7;
  random_ ^= random_ << 17;
  return (random_ & 0xffffffff) < threshold_;
}

void GeneratorPort::write(rte_mbuf* packet) noexcept {
  Line& line = lines_[next_];
  packet->data_off = RTE_PKTMBUF_HEADROOM;
  packet->data_len = options_.mpeg_ts ? kTsFrame : kFrame;
  packet->pkt_len = packet->data_len;
  auto* frame = rte_pktmbuf_mtod(packet, std::uint8_t*);
  if (options_.moldudp64) {
    std::memcpy(frame, line.header, kMoldHeaders);
    store_be<std::uint64_t>(frame + kMold + 10, line.sequence);
    line.sequence += kMessages;
    if (++next_ == lines_.size()) next_ = 0;
    return;
  }
  std::memcpy(frame, line.header, kHeaders);
  const auto sequence = static_cast<std::uint16_t>(line.sequence);
  store_be16(frame + kRtp + 2, sequence);
  if (options_.udp_checksum) {
    const auto zero = load_raw<std::uint16_t>(line.header + 40);
    const auto added = std::byteswap(sequence);
    const std::uint32_t sum = static_cast<std::uint16_t>(~zero) + std::uint32_t{added};
    const auto checksum = static_cast<std::uint16_t>(~fold_sum(sum));
    std::memcpy(frame + 40, &checksum, 2);
  }
  for (unsigned i = 0; options_.mpeg_ts && i < kTsPackets; ++i) {
    const auto counter = static_cast<std::uint32_t>(line.sequence * kTsPackets + i) & 15;
    store_be32(frame + kHeaders + i * kTsPacket, 0x47010010 | counter);
  }
  ++line.sequence;
  if (++next_ == lines_.size()) next_ = 0;
}

// As many turns as `burst` has room for; a lost packet's turn passes without one, so that the legs
// stay abreast.
unsigned GeneratorPort::make(std::span<rte_mbuf*> burst) noexcept {
  const auto turns = static_cast<unsigned>(burst.size());
  if (rte_mempool_get_bulk(pool_, reinterpret_cast<void**>(burst.data()), turns) != 0) return 0;
  unsigned made = 0;
  for (unsigned turn = 0; turn < turns; ++turn) {
    if (threshold_ != 0 && lose()) {
      lines_[next_].sequence += options_.moldudp64 ? kMessages : 1;
      if (++next_ == lines_.size()) next_ = 0;
      ++skipped_;
      continue;
    }
    write(burst[made++]);
  }
  if (made != turns) {
    rte_mempool_put_bulk(pool_, reinterpret_cast<void**>(&burst[made]), turns - made);
  }
  return made;
}

unsigned GeneratorPort::receive(unsigned /*queue*/, std::span<rte_mbuf*> burst) noexcept {
  if (waiting_ != 0) [[unlikely]] {
    waiting_ -= std::min<std::uint64_t>(waiting_, burst.size());
    return 0;
  }
  if (ahead_.empty()) return make(burst);
  for (rte_mbuf*& packet : burst) {
    packet = ahead_[ahead_at_];
    if (make({&ahead_[ahead_at_], 1}) != 1) std::abort();
    if (++ahead_at_ == ahead_.size()) ahead_at_ = 0;
  }
  return static_cast<unsigned>(burst.size());
}

unsigned GeneratorPort::transmit(unsigned /*queue*/, std::span<rte_mbuf* const> /*b*/) noexcept {
  return 0;
}

}  // namespace castgate::bench
