// SPDX-License-Identifier: Apache-2.0
#include "dataplane/contract/reload.h"

#include <algorithm>

namespace castgate {
namespace {

const StreamSpec kVacant;

const StreamSpec& at(const Spec& spec, std::size_t stream) {
  return stream < spec.streams.size() ? spec.streams[stream] : kVacant;
}

template <class Value>
void compare(std::vector<std::string>& keys, const char* key, const Value& a, const Value& b) {
  if (a != b) keys.push_back(std::string("appliance.") + key);
}

std::size_t index_of(const std::vector<LegSpec>& legs, const std::string& name) {
  return static_cast<std::size_t>(std::ranges::find(legs, name, &LegSpec::name) - legs.begin());
}

// Legs that stay keep their numbers, by which packets on their way are known. Whom the stream
// prefers stays as it is written.
StreamSpec with_legs_in_place(const StreamSpec& running, const StreamSpec& wanted) {
  const std::size_t count = wanted.legs.size();
  StreamSpec made = wanted;
  std::vector<bool> taken(count);
  std::vector<const LegSpec*> others;
  for (const LegSpec& leg : wanted.legs) {
    const std::size_t was = index_of(running.legs, leg.name);
    if (was == running.legs.size() || was >= count) {
      others.push_back(&leg);
      continue;
    }
    made.legs[was] = leg;
    taken[was] = true;
  }
  std::size_t place = 0;
  for (const LegSpec* leg : others) {
    while (taken[place]) ++place;
    made.legs[place++] = *leg;
  }
  if (made.legs == wanted.legs) return made;
  const std::vector<std::uint8_t> places = preference(wanted);
  made.failover.order.resize(count);
  for (std::size_t l = 0; l < count; ++l) made.failover.order[places[l]] = wanted.legs[l].name;
  return made;
}

// Its clients would have to move to other workers: outputs whose clients were split otherwise.
void compare_fans(std::vector<std::string>& keys, const StreamSpec& running,
                  const StreamSpec& wanted) {
  for (const UnicastSpec& unicast : wanted.unicasts) {
    const auto old = std::ranges::find(running.unicasts, unicast.name, &UnicastSpec::name);
    if (old == running.unicasts.end() || old->fan_workers == unicast.fan_workers) continue;
    keys.push_back("streams." + wanted.name + ".outputs." + unicast.name + ".unicast.fan_workers");
  }
}

}  // namespace

std::vector<std::string> restart_keys(const Spec& running, const Spec& wanted) {
  std::vector<std::string> keys;
  const ApplianceSpec& a = running.appliance;
  const ApplianceSpec& b = wanted.appliance;
  compare(keys, "name", a.name, b.name);
  compare(keys, "worker_cores", a.worker_cores, b.worker_cores);
  compare(keys, "control_core", a.control_core, b.control_core);
  compare(keys, "hugepages", a.hugepages_bytes, b.hugepages_bytes);
  compare(keys, "polling", a.polling, b.polling);
  compare(keys, "state_dir", a.state_dir, b.state_dir);
  compare(keys, "control_socket", a.control_socket, b.control_socket);
  compare(keys, "event_log", a.event_log, b.event_log);
  compare(keys, "crypto_device", a.crypto_device, b.crypto_device);
  compare(keys, "max_streams", a.max_streams, b.max_streams);
  compare(keys, "max_clients", a.max_clients, b.max_clients);
  compare(keys, "max_frame", a.max_frame, b.max_frame);
  if (running.doors != wanted.doors) keys.push_back("doors");
  const std::size_t ports = std::max(running.ports.size(), wanted.ports.size());
  for (std::size_t p = 0; p < ports; ++p) {
    if (p >= wanted.ports.size()) {
      keys.push_back("ports." + running.ports[p].name);
    } else if (p >= running.ports.size() || running.ports[p] != wanted.ports[p]) {
      keys.push_back("ports." + wanted.ports[p].name);
    }
  }
  for (const StreamSpec& stream : wanted.streams) {
    const auto old = std::ranges::find(running.streams, stream.name, &StreamSpec::name);
    if (old != running.streams.end()) compare_fans(keys, *old, stream);
  }
  return keys;
}

std::size_t stream_places(const Spec& spec) noexcept {
  return std::max<std::size_t>(spec.streams.size(), spec.appliance.max_streams);
}

Spec arranged(const Spec& running, const Spec& wanted) {
  Spec made = wanted;
  made.streams.assign(running.streams.size(), {});
  std::vector<const StreamSpec*> coming;
  for (const StreamSpec& stream : wanted.streams) {
    const auto old = std::ranges::find(running.streams, stream.name, &StreamSpec::name);
    if (old == running.streams.end()) {
      coming.push_back(&stream);
    } else {
      made.streams[static_cast<std::size_t>(old - running.streams.begin())] =
          with_legs_in_place(*old, stream);
    }
  }
  std::size_t place = 0;
  for (const StreamSpec* stream : coming) {
    while (place < running.streams.size() && !running.streams[place].is_vacant()) ++place;
    if (place == made.streams.size()) made.streams.emplace_back();
    made.streams[place++] = *stream;
  }
  return made;
}

StreamChange change_of(const Spec& before, const Spec& after, std::size_t stream) {
  const StreamSpec& a = at(before, stream);
  const StreamSpec& b = at(after, stream);
  if (a == b) return StreamChange::None;
  if (a.is_vacant()) return StreamChange::Added;
  return b.is_vacant() ? StreamChange::Removed : StreamChange::Changed;
}

Inherited inherited(const StreamSpec& before, const StreamSpec& after) {
  Inherited from;
  from.leg.fill(Inherited::kNew);
  for (std::size_t l = 0; l < after.legs.size(); ++l) {
    const auto old = std::ranges::find(before.legs, after.legs[l].name, &LegSpec::name);
    if (old != before.legs.end()) from.leg[l] = static_cast<std::int8_t>(old - before.legs.begin());
  }
  from.numbers = before.sequence == after.sequence;
  return from;
}

}  // namespace castgate
