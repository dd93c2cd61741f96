// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "dataplane/base/protect/replay_window.h"
#include "dataplane/base/srtp/srtp_cm.h"
#include "dataplane/base/srtp/srtp_gcm.h"
#include "dataplane/base/srtp/srtp_index.h"
#include "dataplane/contract/spec.h"
#include "dataplane/protect/esp_sealer.h"
#include "dataplane/protect/key_life.h"
#include "drivers/crypto_queue.h"

namespace castgate {

// A set of keys, one of which seals at a time, and what has been sealed with them: no index goes
// out twice, whatever comes before it. One owner, since two would not know of each other's.
class Rendition {
 public:
  // Of a spec that is_on() and has a key. `device`: of a spec that wants one.
  Rendition(const Ciphers& ciphers, const ProtectSpec& spec, CryptoQueue* device = nullptr);

  // The key that seals: one of the three.
  const SrtpGcm* gcm() const noexcept { return gcm_; }
  const SrtpCm* cm() const noexcept { return cm_; }
  EspSealer* esp() const noexcept { return esp_; }
  std::uint32_t epoch() const noexcept { return epochs_[at_].number; }

  // Where a device encrypts: its key, for messages with as many bytes beside them as an RTP header
  // without CSRCs and extension has, or as ESP binds. Null: the worker does.
  const CryptoSession* session() const noexcept { return session_; }

  // Nothing about the key needs a look.
  bool is_young(Instant now) const noexcept { return packets_ < soft_end_ && now < soft_due_; }
  // The next key is due, and may be used.
  bool is_due(Instant now) noexcept;
  // It seals from now on, and the one before is wiped: nothing may wait to be sealed with it.
  void begin_next(Instant now) noexcept;
  // It has sealed all that it may.
  bool is_spent(Instant now) const noexcept { return packets_ >= hard_end_ || now >= hard_due_; }

  // Of SRTP: tag and MKI.
  std::uint32_t growth() const noexcept { return growth_; }
  // The last bytes of epoch() in network order.
  std::uint32_t mki_bytes() const noexcept { return mki_bytes_; }

  enum class Index : std::uint8_t { Taken, Used, Spent };
  // Takes the index of a sequence number out of those that are left. Used: it went out before, or
  // is so far behind that nobody knows; Spent: it would be beyond the last. Indexes go on from one
  // key to the next (RFC 3711 3.3.1).
  Index take(std::uint16_t sequence, std::uint64_t& index) noexcept;
  // A packet was sealed.
  void count() noexcept { ++packets_; }

  // Goes on where `old` ended, if any key is the same; it may get what this one had.
  void inherit(Rendition& old) noexcept;

  std::uint64_t packets() const noexcept { return packets_; }

 private:
  static constexpr unsigned kWindow = 1'024;
  // Until it is asked again whether the next key may be used.
  static constexpr Nanoseconds kPatience{1'000'000};
  static constexpr std::uint64_t kPatiencePackets = 64;

  struct Epoch {
    std::uint32_t number;
    SharedKey key;
    Secret<SrtpGcm> gcm;
    Secret<SrtpCm> cm;
    std::unique_ptr<EspSealer> esp;
    CryptoSession session;
  };
  static CryptoSession session_of(const Ciphers& ciphers, const ProtectSpec& spec,
                                  const KeyBytes& key, CryptoQueue& device);
  static Epoch make_epoch(const Ciphers& ciphers, const ProtectSpec& spec, const EpochKey& key,
                          CryptoQueue* device);
  void use(std::size_t at) noexcept;
  void begin_life(Instant now) noexcept;
  bool may_follow() const noexcept;
  void wipe(Epoch& epoch) noexcept;

  const SrtpGcm* gcm_ = nullptr;
  const SrtpCm* cm_ = nullptr;
  EspSealer* esp_ = nullptr;
  const CryptoSession* session_ = nullptr;
  std::uint64_t packets_ = 0;   // of all keys
  std::uint64_t soft_end_ = 0;  // as packets_
  Instant soft_due_{};
  std::uint32_t growth_ = 0;
  std::uint32_t mki_bytes_ = 0;

  std::uint64_t hard_end_ = 0;
  Instant hard_due_ = kNever;
  std::uint64_t first_ = 0;  // packets_ when the key began
  Instant began_{};
  bool has_begun_ = false;
  KeyLife life_;
  std::vector<Epoch> epochs_;
  std::size_t at_ = 0;
  std::shared_ptr<EpochLease> lease_;
  std::array<std::uint64_t, ReplayWindow::words_for(kWindow)> words_{};
  ReplayWindow sent_{words_, kWindow};
};

// A stream's: null where packets leave in the clear. None: the stream is not protected at all.
using Renditions = std::vector<std::unique_ptr<Rendition>>;
Renditions make_renditions(const StreamSpec& stream, const Ciphers& ciphers,
                           CryptoQueue* device = nullptr);

}  // namespace castgate
