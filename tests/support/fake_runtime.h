// SPDX-License-Identifier: Apache-2.0
// A data plane without packets: what the control plane sees of one is set by the test. Linking
// fake_runtime.cc also gives a start_runtime and a replay, so the program itself can be run.
#pragma once

#include <deque>
#include <functional>
#include <utility>

#include "dataplane/contract/runtime.h"

namespace castgate::test {

class FakeRuntime final : public Runtime {
 public:
  Snapshot snapshot() override { return shown; }
  Instant now() override { return time; }
  bool poll_event(Event& event) override { return take(events, event); }
  std::uint64_t missed_events() override { return missed; }
  bool poll_punted(HostFrame& frame) override { return take(punted, frame); }
  bool inject(unsigned port, std::span<const std::byte> frame) override {
    injected.push_back({port, {frame.begin(), frame.end()}});
    return true;
  }
  bool command(const Command& command) override {
    if (commands_full) return false;
    commands.push_back(command);
    return true;
  }
  Result<ClientPlace> join(const ClientRoute& route, const ClientKey* key) override {
    if (commands_full) return fail("the worker is busy; try again");
    joined.push_back(route);
    keys.push_back(key == nullptr ? nullptr
                                  : make_secret<ClientKey>(key->key.bytes(), key->ssrc, key->spi));
    return ClientPlace{route.stream, route.unicast, static_cast<std::uint32_t>(joined.size() - 1)};
  }
  bool leave(const ClientPlace& place) override {
    if (commands_full) return false;
    left.push_back(place);
    return true;
  }
  bool change(const ClientPlace& place, const ClientRoute& route) override {
    if (commands_full) return false;
    changed.emplace_back(place, route);
    return true;
  }
  ClientCounters client_counters(const ClientPlace& place) const override {
    if (count_client) return count_client(place);
    return {.packets = 1000 + place.slot, .bytes = 7, .drops = {1, 2, 3, 4}};
  }
  std::optional<SentPacket> find_sent(const ClientPlace& place,
                                      const QuotedPacket& quote) const override {
    return sent ? sent(place, quote) : std::nullopt;
  }
  bool poll_captured(CapturedPacket& packet) override { return take(captured, packet); }
  std::uint64_t capture_missed() const override { return captures_missed; }
  Result<ReloadReport> reload(const Spec& spec) override {
    reloads.push_back(spec);
    if (!reload_error.empty()) return fail(reload_error);
    return reloaded;
  }
  void heartbeat_ages(std::vector<Nanoseconds>& ages) override { ages.assign(1, heartbeat); }
  void drain() override { drained = true; }

  Snapshot shown;
  std::deque<Event> events;
  std::deque<HostFrame> punted;
  std::vector<HostFrame> injected;
  std::vector<Command> commands;
  bool commands_full = false;
  std::vector<ClientRoute> joined;
  std::vector<SharedClientKey> keys;  // as `joined`; null: it had none
  std::vector<ClientPlace> left;
  std::function<ClientCounters(const ClientPlace&)> count_client;
  std::vector<std::pair<ClientPlace, ClientRoute>> changed;
  std::function<std::optional<SentPacket>(const ClientPlace&, const QuotedPacket&)> sent;
  std::deque<CapturedPacket> captured;
  std::uint64_t captures_missed = 0;
  std::vector<Spec> reloads;
  std::string reload_error;
  ReloadReport reloaded;
  Nanoseconds heartbeat{0};
  Instant time;
  std::uint64_t missed = 0;
  bool drained = false;

 private:
  template <class T>
  static bool take(std::deque<T>& from, T& to) {
    if (from.empty()) return false;
    to = std::move(from.front());
    from.pop_front();
    return true;
  }
};

// Streams, legs, outputs and ports named as in `spec`; every counter zero.
Snapshot blank_snapshot(const Spec& spec);

}  // namespace castgate::test
