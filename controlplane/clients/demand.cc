// SPDX-License-Identifier: Apache-2.0
#include "controlplane/clients/demand.h"

#include <algorithm>

namespace castgate {

void Demand::fit() {
  if (streams_.size() < spec_.streams.size()) streams_.resize(spec_.streams.size());
}

void Demand::add(std::size_t stream) {
  fit();
  ++streams_[stream].clients;
  changed_ = true;
}

void Demand::remove(std::size_t stream) {
  --streams_[stream].clients;
  changed_ = true;
}

void Demand::forget_clients() {
  for (Stream& stream : streams_) stream.clients = 0;
  changed_ = true;
}

bool Demand::wanted(std::size_t stream) const {
  if (spec_.streams[stream].join == UpstreamJoin::Always) return true;
  return stream < streams_.size() && streams_[stream].wanted;
}

bool Demand::turn(Instant now) {
  if (!changed_ && now < due_) return false;
  fit();
  changed_ = false;
  due_ = kNever;
  bool changed = false;
  for (std::size_t s = 0; s < spec_.streams.size(); ++s) {
    Stream& stream = streams_[s];
    const bool was = stream.wanted;
    const StreamSpec& spec = spec_.streams[s];
    if (spec.join == UpstreamJoin::Always || stream.clients != 0) {
      stream.wanted = !spec.is_vacant();
      stream.until = kNever;
    } else if (stream.wanted) {
      if (stream.until == kNever) stream.until = now + spec.linger;
      stream.wanted = now < stream.until;
    }
    if (stream.wanted) due_ = std::min(due_, stream.until);
    changed |= stream.wanted != was;
  }
  return changed;
}

}  // namespace castgate
