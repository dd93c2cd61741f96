// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "dataplane/base/counter.h"
#include "dataplane/base/srtp/srtp_inbound.h"
#include "dataplane/contract/spec.h"
#include "dataplane/open/esp_opener.h"

namespace castgate {

// One leg's keys, and what has been opened with them.
class Opener {
 public:
  // Of a spec that is_on() and has its keys.
  Opener(const Ciphers& ciphers, const OpenSpec& spec);

  EspOpener* esp() noexcept { return esp_.get(); }  // else srtp()
  SrtpInbound* srtp() noexcept { return srtp_.get(); }

  // Counts on from `old`, and knows what it opened where they have a key in common.
  void inherit(const Opener& old) noexcept;

  // Packets.
  Counter opened;
  DropCounters drops;

 private:
  OpenSpec spec_;
  std::unique_ptr<EspOpener> esp_;
  std::unique_ptr<SrtpInbound> srtp_;
};

// A stream's, by leg: null where it comes in the clear. None: all of its legs do.
using Openers = std::vector<std::unique_ptr<Opener>>;
Openers make_openers(const StreamSpec& stream, const Ciphers& ciphers);

}  // namespace castgate
