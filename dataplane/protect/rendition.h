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

namespace castgate {

// One key and what has been sealed with it: no index goes out twice, whatever comes before it.
// One owner, since two would not know of each other's.
class Rendition {
 public:
  // Of a spec that is_on() and has its key.
  Rendition(const Ciphers& ciphers, const ProtectSpec& spec);

  // One of the three.
  const SrtpGcm* gcm() const noexcept { return gcm_.get(); }
  const SrtpCm* cm() const noexcept { return cm_.get(); }
  EspSealer* esp() const noexcept { return esp_.get(); }

  // Of SRTP.
  std::uint32_t growth() const noexcept { return growth_; }

  enum class Index : std::uint8_t { Taken, Used, Spent };
  // Takes the index of a sequence number out of those that are left. Used: it went out before, or
  // is so far behind that nobody knows; Spent: it would be beyond the key's last.
  Index take(std::uint16_t sequence, std::uint64_t& index) noexcept;

  // Goes on where `old` ended, if that is the same key; it may get what this one had.
  void inherit(Rendition& old) noexcept;

  std::uint64_t packets() const noexcept { return esp_ ? esp_->packets() : packets_; }

 private:
  static constexpr unsigned kWindow = 1'024;

  SharedKey key_;
  std::uint64_t most_;
  Secret<SrtpGcm> gcm_;
  Secret<SrtpCm> cm_;
  std::unique_ptr<EspSealer> esp_;
  std::uint32_t growth_ = 0;
  std::uint64_t packets_ = 0;
  std::array<std::uint64_t, ReplayWindow::words_for(kWindow)> words_{};
  ReplayWindow sent_{words_, kWindow};
};

// A stream's: null where packets leave in the clear. None: the stream is not protected at all.
using Renditions = std::vector<std::unique_ptr<Rendition>>;
Renditions make_renditions(const StreamSpec& stream, const Ciphers& ciphers);

}  // namespace castgate
