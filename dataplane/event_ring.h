// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dataplane/base/counter.h"
#include "dataplane/base/value_ring.h"
#include "dataplane/event_sink.h"

namespace castgate {

// Events of one worker for the control thread. A full ring keeps the old and counts the new.
class EventRing final : public EventSink {
 public:
  void report(const Event& event) noexcept override {
    if (!events_.put(event)) missed_.add();
  }
  bool take(Event& event) noexcept { return events_.take(event); }

  std::uint64_t missed() const noexcept { return missed_.get(); }

 private:
  ValueRing<Event, 4096> events_;
  Counter missed_;
};

}  // namespace castgate
