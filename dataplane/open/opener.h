// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "dataplane/base/counter.h"
#include "dataplane/base/srtp/inbound_indexes.h"
#include "dataplane/base/srtp/srtp_cm.h"
#include "dataplane/base/srtp/srtp_gcm.h"
#include "dataplane/contract/spec.h"
#include "dataplane/open/esp_opener.h"

namespace castgate {

// One leg's key, and what has been opened with it.
class Opener {
 public:
  // Of a spec that is_on() and has its key.
  Opener(const Ciphers& ciphers, const OpenSpec& spec);

  EspOpener* esp() noexcept { return esp_.get(); }            // else SRTP
  const SrtpGcm* gcm() const noexcept { return gcm_.get(); }  // else cm()
  const SrtpCm* cm() const noexcept { return cm_.get(); }
  std::size_t tag() const noexcept { return cm_ ? cm_->tag() : SrtpGcm::kTag; }
  InboundIndexes& indexes() noexcept { return indexes_; }

  // Counts on from `old`, and knows what it opened where that is the same key.
  void inherit(const Opener& old) noexcept;

  // Packets.
  Counter opened;
  DropCounters drops;

 private:
  OpenSpec spec_;
  std::unique_ptr<EspOpener> esp_;
  Secret<SrtpGcm> gcm_;
  Secret<SrtpCm> cm_;
  InboundIndexes indexes_;
};

// A stream's, by leg: null where it comes in the clear. None: all of its legs do.
using Openers = std::vector<std::unique_ptr<Opener>>;
Openers make_openers(const StreamSpec& stream, const Ciphers& ciphers);

}  // namespace castgate
