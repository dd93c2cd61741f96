// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "dataplane/base/rtp/locate.h"
#include "dataplane/base/sequence/generic.h"
#include "dataplane/base/sequence/messages.h"
#include "dataplane/contract/spec.h"

namespace castgate {

// Where a payload stands in its stream, by the number that it carries. `generic`: of the format of
// that name. `most`: positions that one packet may hold; one that says that it holds more is not
// believed. False where there is no number, as of every payload without one (fingerprint).
inline bool locate_position(SequenceFormat format, const GenericSequence& generic,
                            std::uint16_t most, const std::byte* payload, std::size_t length,
                            Located& where) noexcept {
  bool found = false;
  switch (format) {
    case SequenceFormat::Rtp:
      found = locate_rtp(payload, length, where);
      break;
    case SequenceFormat::RtpExtended:
      return locate_rtp_extended(payload, length, where);
    case SequenceFormat::CmeMdp3:
      return locate_cme_mdp3(payload, length, where);
    case SequenceFormat::Moldudp64:
      found = locate_moldudp64(payload, length, where);
      break;
    case SequenceFormat::IexTp:
      found = locate_iex_tp(payload, length, where);
      break;
    case SequenceFormat::Generic:
      found = locate_generic(generic, payload, length, where);
      break;
    case SequenceFormat::Fingerprint:
      return false;
  }
  return found && (where.count <= most || where.count == Located::kEnd);
}

}  // namespace castgate
