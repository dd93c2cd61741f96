// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "dataplane/base/instant.h"
#include "dataplane/base/protect/ciphers.h"
#include "dataplane/base/protect/secret_memory.h"
#include "dataplane/base/srtp/inbound_indexes.h"
#include "dataplane/base/srtp/srtp_cm.h"
#include "dataplane/base/srtp/srtp_gcm.h"
#include "dataplane/base/srtp/srtp_keys.h"
#include "dataplane/base/srtp/srtp_packet.h"

namespace castgate {

// Why a packet that came to be opened is of no use.
enum class SrtpFault : std::uint8_t {
  Malformed,  // holds no whole RTP header, MKI and tag
  Rtcp,       // RTCP in RTP's UDP port (RFC 5761)
  OtherMki,   // of a key that is not there
  Replayed,   // was there before, or is older than the window
  Forged      // its tag is wrong
};

// The receiving end of SRTP under one key, or several that a Master Key Identifier in each packet
// tells apart; indexes go on from one to the next (RFC 3711 3.2.1). Nothing is remembered of a
// packet before its tag is right.
class SrtpInbound {
 public:
  struct Terms {
    bool gcm = true;              // AES-GCM; else AES-CM with HMAC-SHA1
    std::size_t tag = 0;          // AES-CM: its bytes, 10 or 4
    unsigned mki = 0;             // bytes of it in each packet, at most 4; 0: one key, without
    unsigned window = 0;          // as ReplayWindow takes it, of each SSRC
    std::uint32_t roll_over = 0;  // of the first SSRC that comes
  };
  // A packet under way.
  struct Packet {
    SrtpPacket rtp{};  // tag and MKI apart; the tag follows it
    std::uint32_t ssrc = 0;
    const SrtpGcm* gcm = nullptr;  // else cm
    const SrtpCm* cm = nullptr;
    bool is_new = false;
    bool is_sure = false;
  };
  // What one is opened with.
  struct Bench {
    IMB_MGR* manager;
    SrtpCmBatch& batch;          // empty
    std::span<std::byte> spare;  // for a copy; what is longer is not searched for
  };

  explicit SrtpInbound(const Terms& terms)
      : terms_(terms), indexes_(terms.window, terms.roll_over) {}

  // A key, and the number that is its MKI where there are any.
  void add(const Ciphers& ciphers, const SrtpMaster& master, std::uint32_t mki);

  // What a packet grows by: tag and MKI, bytes.
  std::size_t growth() const noexcept { return tag() + terms_.mki; }

  // Of a UDP payload as it came. An MKI is taken out; what then follows the packet is its tag.
  std::optional<SrtpFault> read(std::span<std::byte> payload, Instant now,
                                Packet& packet) const noexcept;

  // Under AES-CM: may it wait in a batch, to be opened with others? Then comes finish().
  static bool may_wait(const Packet& packet) noexcept {
    return packet.cm != nullptr && packet.is_sure && packet.is_new;
  }
  // Decrypts what read() gave, in place. Of a source that is new, or was silent, other indexes are
  // tried as well, on a copy: who forges packets meanwhile cannot make a genuine one fail. What is
  // not genuine is not readable afterwards.
  std::optional<SrtpFault> open(const Bench& bench, Packet& packet, Instant now) noexcept;
  // After a batch opened it: false where one with its index was opened before.
  bool finish(const Packet& packet, Instant now) noexcept {
    return indexes_.commit(packet.ssrc, packet.rtp.index, now);
  }

  // Goes on where `old` is: which has one of the keys, or none of them (has_same_key false).
  void inherit(const SrtpInbound& old, bool has_same_key) noexcept {
    has_same_key ? indexes_.inherit(old.indexes_) : indexes_.go_on_after(old.indexes_);
  }

 private:
  struct Key {
    std::uint32_t mki;
    Secret<SrtpGcm> gcm;
    Secret<SrtpCm> cm;
  };

  std::size_t tag() const noexcept { return terms_.gcm ? SrtpGcm::kTag : terms_.tag; }
  const Key* take_mki(std::byte* end) const noexcept;
  std::optional<SrtpFault> search(const Bench& bench, Packet& packet, Instant now) noexcept;

  Terms terms_;
  std::vector<Key> keys_;
  InboundIndexes indexes_;
};

}  // namespace castgate
