// SPDX-License-Identifier: Apache-2.0
// SRTP as it arrives: genuine packets in any order, changed ones, others. Whatever comes, what
// opens gives the same packet when it is sealed again, and opens once. The first byte chooses the
// suite, the window and the MKI; then come packets: what to do, how long, for genuine ones where
// they count, their bytes.
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "dataplane/base/check.h"
#include "dataplane/base/protect/secret_memory.h"
#include "dataplane/base/rtp/header.h"
#include "dataplane/base/srtp/srtp_inbound.h"

namespace castgate {
namespace {

using Bytes = std::vector<std::byte>;

constexpr unsigned kKeys = 3;

SrtpMaster master_of(unsigned key) {
  SrtpMaster made{};
  made.key[0] = static_cast<std::byte>(key + 1);
  return made;
}

struct Suite {
  struct Key {
    SrtpGcm gcm;
    SrtpCm cm;
    SrtpCm cm_short;
  };
  Key key_of(unsigned n) const {
    const SrtpMaster master = master_of(n);
    return {{ciphers, master}, {ciphers, master, 10}, {ciphers, master, 4}};
  }

  Ciphers ciphers = *Ciphers::make();
  std::array<Key, kKeys> keys{key_of(0), key_of(1), key_of(2)};
  SrtpCmBatch batch;
  std::vector<std::byte> spare = Bytes(512);
};

// A leg's keys and indexes, and a sender that has them as well.
class Leg {
 public:
  Leg(Suite& suite, unsigned choice) : suite_(suite), srtp_(terms_of(choice)) { add_keys(srtp_); }

  // Seals what can be, one bit of it changed where `flip` names one.
  void send(Bytes clear, std::uint64_t index, unsigned flip) {
    if (clear.size() < kRtpHeader) clear.resize(kRtpHeader);
    store_be16(clear.data() + 2, static_cast<std::uint16_t>(index));
    const std::size_t header = rtp_header_length(clear.data(), clear.size());
    if (header == 0) return offer(std::move(clear));
    const unsigned key = terms_.mki == 0 ? 0 : static_cast<unsigned>(index % kKeys);
    Bytes packet = seal(clear, {header, index, key});
    if (flip != 0) packet[flip % packet.size()] ^= static_cast<std::byte>(1u << flip % 8);
    offer(std::move(packet));
  }

  // `packet` is of exactly its size, so that a read past its end is seen.
  void offer(Bytes packet) {
    now_ = now_ + Nanoseconds{1'000'000};
    const Bytes came = packet;
    SrtpInbound::Packet in;
    if (srtp_.read(packet, now_, in)) return;
    CG_CHECK(in.rtp.header >= kRtpHeader && in.rtp.header <= in.rtp.length);
    CG_CHECK(in.rtp.length + srtp_.growth() == packet.size());
    if (!open(in)) return;
    CG_CHECK(in.rtp.index >> 48 == 0);
    packet.resize(in.rtp.length);
    CG_CHECK(seal(packet, {in.rtp.header, in.rtp.index, key_in(came)}) == came);
    CG_CHECK(!srtp_.finish(in, now_));
  }

  void pause() { now_ = now_ + InboundIndexes::kLost; }
  // As a reload does, with the same keys or other ones.
  void reload(unsigned choice) {
    terms_.window = ReplayWindow::kSmallest << choice % 4;
    terms_.roll_over = 0;
    SrtpInbound next(terms_);
    add_keys(next);
    next.inherit(srtp_, choice / 4 % 2 == 0);
    std::swap(srtp_, next);
  }

 private:
  static constexpr std::size_t kTagRoom = 16;
  struct Seal {
    std::size_t header;
    std::uint64_t index;
    unsigned key;
  };

  const SrtpInbound::Terms& terms_of(unsigned choice) {
    constexpr std::array kTags{0u, 10u, 4u};
    constexpr std::array kMkis{0u, 1u, 4u};
    terms_ = {.gcm = choice % 3 == 0,
              .tag = kTags[choice % 3],
              .mki = kMkis[choice / 12 % 3],
              .window = ReplayWindow::kSmallest << choice / 3 % 4,
              .roll_over = choice / 36};
    return terms_;
  }
  void add_keys(SrtpInbound& srtp) const {
    for (unsigned key = 0; key < (terms_.mki == 0 ? 1 : kKeys); ++key)
      srtp.add(suite_.ciphers, master_of(key), key + 1);
  }
  std::size_t tag() const { return terms_.gcm ? SrtpGcm::kTag : terms_.tag; }
  // As its MKI says.
  unsigned key_in(const Bytes& came) const {
    if (terms_.mki == 0) return 0;
    const std::size_t behind = terms_.gcm ? 1 : 1 + tag();
    return std::to_integer<unsigned>(came[came.size() - behind]) - 1;
  }

  Bytes seal(Bytes packet, const Seal& how) {
    const std::size_t length = packet.size();
    packet.resize(length + kTagRoom);
    const SrtpPacket rtp{packet.data(), length, how.header, how.index};
    const Suite::Key& key = suite_.keys.at(how.key);
    if (terms_.gcm) {
      key.gcm.seal(suite_.ciphers.manager(), rtp);
    } else {
      suite_.batch.add(terms_.tag == 10 ? key.cm : key.cm_short, rtp);
      suite_.batch.seal(suite_.ciphers.manager());
    }
    packet.resize(length + tag());
    Bytes mki(terms_.mki);
    if (!mki.empty()) mki.back() = static_cast<std::byte>(how.key + 1);
    packet.insert(terms_.gcm ? packet.end() : packet.end() - static_cast<std::ptrdiff_t>(tag()),
                  mki.begin(), mki.end());
    return packet;
  }
  // As a stage does: what may wait in a batch does.
  bool open(SrtpInbound::Packet& in) {
    if (!SrtpInbound::may_wait(in))
      return !srtp_.open({suite_.ciphers.manager(), suite_.batch, suite_.spare}, in, now_);
    suite_.batch.add(*in.cm, in.rtp);
    return suite_.batch.open(suite_.ciphers.manager())[0] && srtp_.finish(in, now_);
  }

  Suite& suite_;
  SrtpInbound::Terms terms_;
  SrtpInbound srtp_;
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
