// SPDX-License-Identifier: Apache-2.0
// What became of one packet of a replay, as the stages showed it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "dataplane/base/instant.h"
#include "dataplane/base/sequence/located.h"
#include "dataplane/contract/drop_reason.h"
#include "dataplane/contract/events.h"

namespace castgate {

struct TraceRequest {
  unsigned port = 0;         // index into Spec::ports
  std::uint64_t packet = 1;  // of the capture that this port receives; the first is 1
};

// Another packet that had a part in it.
struct TraceOther {
  unsigned port = 0;
  std::uint64_t packet = 0;
  unsigned leg = 0;
  Located where{};
  Instant arrived;
  std::optional<Instant> released;
};

struct TraceSent {
  unsigned port = 0;
  Instant at;
  std::vector<std::byte> bytes;
};

struct PacketTrace {
  std::uint64_t packets = 0;  // of the capture; fewer than asked for: nothing else is set
  Instant arrived;
  std::vector<std::byte> frame;

  bool classified = false;
  std::uint16_t stream = 0;
  std::uint8_t leg = 0;
  std::optional<Located> where;  // none: it carries no position

  std::optional<Instant> released;
  std::vector<Event> events;           // of its stream, in the moment that let it go
  std::optional<TraceOther> freed_by;  // whose arrival did; none: a deadline, or its own
  bool first_of_stream = false;        // nothing of the stream had left before that moment
  bool at_end = false;                 // the captures had ended

  std::vector<TraceSent> sent;
  std::vector<DropReason> unsent;  // outputs that got nothing of it

  std::optional<DropReason> dropped;
  Instant dropped_at;
  std::optional<TraceOther> winner;  // the copy of its position that was taken in its stead
  std::optional<Event> given_up;     // the gap that had its position
};

}  // namespace castgate
