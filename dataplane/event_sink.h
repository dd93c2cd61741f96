// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dataplane/contract/events.h"

namespace castgate {

// Where a worker's stages report what happened: a ring to the control plane, a list in replay.
class EventSink {
 public:
  EventSink() = default;
  EventSink(const EventSink&) = delete;
  EventSink& operator=(const EventSink&) = delete;
  virtual ~EventSink() = default;
  virtual void report(const Event& event) noexcept = 0;
};

}  // namespace castgate
