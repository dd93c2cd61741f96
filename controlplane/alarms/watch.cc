// SPDX-License-Identifier: Apache-2.0
#include "controlplane/alarms/watch.h"

#include <algorithm>
#include <fmt/format.h>
#include <numeric>

#include "controlplane/alarms/stream_judge.h"
#include "dataplane/contract/reload.h"

namespace castgate {
namespace {

std::uint64_t packets_of(const StreamSnapshot& stream) {
  return std::accumulate(
      stream.legs.begin(), stream.legs.end(), std::uint64_t{0},
      [](std::uint64_t sum, const LegSnapshot& leg) { return sum + leg.packets; });
}

// Shorter than this nothing is judged by what happened meanwhile.
constexpr Nanoseconds kShortest = Watch::kLook / 2;

}  // namespace

Watch::Watch(const Spec& spec, Instant now) : spec_(spec), streams_(spec.streams.size()) {
  for (Stream& stream : streams_) stream.heard_at = now;
}

void Watch::look(const Snapshot& snapshot, Instant now, AlarmTable& alarms) {
  const bool good = snapshot.streams.size() == spec_.streams.size() &&
                    (!looked_ || snapshot.ports.size() == ports_.size());
  if (!good || (looked_ && now - looked_at_ < kShortest)) return;
  for (std::size_t s = 0; s < streams_.size(); ++s) {
    if (spec_.streams[s].is_vacant()) continue;
    if (snapshot.streams[s].legs.size() != spec_.streams[s].legs.size()) continue;
    if (!wanted(s)) {
      alarms.forget(spec_.streams[s].name, {}, now);
      streams_[s] = {.heard_at = now};  // judged anew once it is wanted
      continue;
    }
    look_at(s, snapshot.streams[s], now, alarms);
  }
  for (std::size_t p = 0; p < snapshot.ports.size(); ++p)
    look_at(looked_ ? ports_[p] : snapshot.ports[p], snapshot.ports[p], now, alarms);
  ports_ = snapshot.ports;
  looked_ = true;
  looked_at_ = now;
}

void Watch::follow(const Spec& after, Instant now, AlarmTable& alarms) {
  streams_.resize(after.streams.size());
  for (std::size_t s = 0; s < after.streams.size(); ++s) {
    const StreamChange change = change_of(spec_, after, s);
    if (change == StreamChange::None) continue;
    const bool heard = change == StreamChange::Changed && streams_[s].ever_heard;
    streams_[s] = {.heard_at = now, .ever_heard = heard};
    if (change == StreamChange::Added) continue;
    const StreamSpec& before = spec_.streams[s];
    if (change == StreamChange::Removed) {
      alarms.forget(before.name, {}, now);
      continue;
    }
    for (const LegSpec& leg : before.legs) {
      if (std::ranges::find(after.streams[s].legs, leg.name, &LegSpec::name) ==
          after.streams[s].legs.end())
        alarms.forget(before.name, leg.name, now);
    }
  }
}

void Watch::look_at(std::size_t s, const StreamSnapshot& shown, Instant now, AlarmTable& alarms) {
  const StreamSpec& spec = spec_.streams[s];
  Stream& stream = streams_[s];
  const bool first = stream.last.legs.empty();
  const std::uint64_t packets = packets_of(shown);
  if (packets != (first ? 0 : packets_of(stream.last))) {
    stream.heard_at = now;
    stream.ever_heard = true;
  }
  alarms.judge(AlarmKind::AllLegsDown, spec.name,
               find_all_down(spec, now - stream.heard_at, stream.ever_heard), now);
  if (first) {
    stream.last = stream.compared = shown;
    stream.compared_at = now;
    return;
  }
  const StreamStretch second{spec, stream.last, shown, now - looked_at_};
  alarms.judge(AlarmKind::LegSilent, spec.name, find_silent_legs(second), now);
  alarms.judge(AlarmKind::LegDiverged, spec.name, find_diverged_legs(second), now);
  alarms.judge(AlarmKind::OffsetUnknown, spec.name, find_unknown_offsets(second), now);
  alarms.judge(AlarmKind::NotSealed, spec.name, find_not_sealed(second), now);
  alarms.judge(AlarmKind::SignalDegrade, spec.name, find_degraded_legs(second), now);
  alarms.judge(AlarmKind::PathDifferential, spec.name, find_path_differentials(second), now);
  alarms.judge(AlarmKind::ContentMismatch, spec.name, find_content_mismatches(second), now);
  stream.last = shown;

  const StreamStretch period{spec, stream.compared, shown, now - stream.compared_at};
  // Looks come every second, give or take.
  if (period.span + kShortest < latent_period(spec) || !tells_latent_errors(period)) return;
  alarms.judge(AlarmKind::LatentError, spec.name, find_latent_errors(period), now);
  stream.compared = shown;
  stream.compared_at = now;
}

void Watch::look_at(const PortSnapshot& before, const PortSnapshot& port, Instant now,
                    AlarmTable& alarms) const {
  const AlarmSubject of{.port = port.name};
  if (!port.link_up) {
    alarms.stands({AlarmKind::LinkDown, of},
                  fmt::format("port {}: no link; look at the cable, the transceiver and the switch",
                              port.name),
                  now);
  } else {
    alarms.gone({AlarmKind::LinkDown, of}, now);
  }
  if (port.pool_empty > before.pool_empty) {
    alarms.stands({AlarmKind::PoolEmpty, of},
                  fmt::format("port {}: no packet buffer was free {} times; its pool is sized by "
                              "failover.max_rate and max_skew of the streams: are they true?",
                              port.name, port.pool_empty - before.pool_empty),
                  now);
  } else {
    alarms.gone({AlarmKind::PoolEmpty, of}, now);
  }
}

void Watch::note(const Event& event, Instant now, AlarmTable& alarms) const {
  if (event.stream >= spec_.streams.size() || !wanted(event.stream)) return;
  const StreamSpec& spec = spec_.streams[event.stream];
  if (event.leg >= spec.legs.size()) return;
  const AlarmSubject of{.stream = spec.name, .leg = spec.legs[event.leg].name};
  switch (event.kind) {
    case EventKind::LegSilent:
      return alarms.stands({AlarmKind::LegSilent, of}, silent_text(spec, event.leg), now);
    case EventKind::LegDiverged:
      return alarms.stands({AlarmKind::LegDiverged, of}, diverged_text(spec, event.leg), now);
    case EventKind::LegUp:
      alarms.gone({AlarmKind::LegSilent, of}, now);
      return alarms.gone({AlarmKind::LegDiverged, of}, now);
    case EventKind::Gap:
    case EventKind::EpochChange:
    case EventKind::LegPreferred:
    case EventKind::OffsetLocked:
    case EventKind::OffsetLost:
      return;
  }
}

}  // namespace castgate
