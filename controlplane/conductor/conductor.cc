// SPDX-License-Identifier: Apache-2.0
#include "controlplane/conductor/conductor.h"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <csignal>
#include <fmt/format.h>
#include <optional>
#include <spdlog/spdlog.h>

#include "controlplane/alarms/alarm_table.h"
#include "controlplane/alarms/watch.h"
#include "controlplane/conductor/control_protocol.h"
#include "controlplane/conductor/control_socket.h"
#include "controlplane/conductor/journal.h"
#include "controlplane/conductor/service_notifier.h"
#include "controlplane/conductor/watchdog.h"
#include "controlplane/slow_path/slow_path.h"

namespace castgate {
namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kTurn{1};
constexpr std::chrono::seconds kSecond{1};
constexpr unsigned kEventsPerTurn = 1024;              // a turn stays well under its millisecond
constexpr unsigned kEventsAtEnd = kMaxWorkers * 4096;  // what all rings hold
constexpr unsigned kFramesPerTurn = 256;

Instant instant_of(Clock::time_point at) {
  return {std::chrono::duration_cast<Nanoseconds>(at.time_since_epoch()).count()};
}

Instant now() {
  return instant_of(Clock::now());
}

Instant wall_now() {
  const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<Nanoseconds>(since_1970).count()};
}

std::string summary_of(const Snapshot& snapshot) {
  std::size_t legs = 0;
  std::size_t up = 0;
  for (const StreamSnapshot& stream : snapshot.streams) {
    legs += stream.legs.size();
    up += static_cast<std::size_t>(
        std::ranges::count(stream.legs, LegState::Up, &LegSnapshot::state));
  }
  return fmt::format("{} streams, {} of {} legs up", snapshot.streams.size(), up, legs);
}

}  // namespace

class Conductor::Loop {
 public:
  explicit Loop(const Spec& spec)
      : spec_(spec), journal_(spec), started_(Clock::now()), watch_(spec, instant_of(started_)) {}

  Result<void> listen(const std::string& path);
  Snapshot run(Runtime& runtime, const std::function<void()>& on_hangup);

 private:
  void start_slow_path();
  void await_hangup(const std::function<void()>& on_hangup);
  void turn();
  void each_millisecond(Instant at);
  void each_second();
  void read_events(Instant at, unsigned most);
  void judge_beats(Instant at);
  void judge_event_log(Instant at);
  void tell_alarms(Instant at);
  Snapshot snapshot();
  Status status();

  const Spec& spec_;
  Runtime* runtime_ = nullptr;
  asio::io_context io_{1};
  asio::steady_timer timer_{io_};
  asio::signal_set signals_{io_, SIGTERM, SIGINT};
  asio::signal_set hangups_{io_, SIGHUP};
  std::unique_ptr<ControlSocket> socket_;
  std::optional<SlowPath> slow_path_;
  Journal journal_;
  std::uint64_t missed_events_ = 0;
  std::uint64_t lost_lines_ = 0;  // when last judged
  Watchdog watchdog_;
  std::vector<Nanoseconds> ages_;  // of the workers' beats
  ServiceNotifier service_;
  AlarmTable alarms_;
  Clock::time_point started_;
  Watch watch_;
  Clock::time_point next_second_;
};

Result<void> Conductor::Loop::listen(const std::string& path) {
  auto socket = ControlSocket::open(io_, path, [this](std::string_view request) {
    return answer(request, [this] { return status(); });
  });
  if (!socket) return std::unexpected(socket.error());
  socket_ = *std::move(socket);
  if (auto opened = journal_.open(); !opened) return opened;
  spdlog::info("control socket {}", path);
  return {};
}

Snapshot Conductor::Loop::run(Runtime& runtime, const std::function<void()>& on_hangup) {
  runtime_ = &runtime;
  signals_.async_wait([this](const boost::system::error_code& error, int signal) {
    if (error) return;
    spdlog::info("{}: draining", signal == SIGTERM ? "SIGTERM" : "SIGINT");
    io_.stop();
  });
  await_hangup(on_hangup);
  next_second_ = Clock::now() + kSecond;
  start_slow_path();
  service_.ready(summary_of(snapshot()));
  spdlog::info("{}: {} ports, {} streams, running", spec_.appliance.name, spec_.ports.size(),
               spec_.streams.size());
  turn();
  io_.run();

  service_.stopping();
  socket_.reset();
  slow_path_.reset();
  runtime.drain();
  read_events(now(), kEventsAtEnd);
  journal_.finish();
  const Snapshot last = snapshot();
  runtime_ = nullptr;
  return last;
}

void Conductor::Loop::await_hangup(const std::function<void()>& on_hangup) {
  hangups_.async_wait([this, &on_hangup](const boost::system::error_code& error, int) {
    if (error) return;
    journal_.reopen();
    on_hangup();
    await_hangup(on_hangup);
  });
}

// Streams flow without a host stack as well, where switches flood: an alarm, not the end.
void Conductor::Loop::start_slow_path() {
  const auto network = [](const std::string& name) {
    return AlarmKey{AlarmKind::NoQuerier, {.port = name}};
  };
  slow_path_.emplace(
      io_, spec_, *runtime_,
      SlowPath::Alarms{[=, this](const auto& name, const auto& text) {
                         alarms_.stands(network(name), text, now());
                       },
                       [=, this](const auto& name) { alarms_.gone(network(name), now()); }});
  if (auto started = slow_path_->start(); !started)
    alarms_.stands({AlarmKind::HostStack, {}}, started.error().text, now());
}

void Conductor::Loop::turn() {
  const auto at = Clock::now();
  each_millisecond(instant_of(at));
  if (at >= next_second_) {
    next_second_ = at + kSecond;
    each_second();
  }
  timer_.expires_after(kTurn);  // after a pause of ours turns are not made up for
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) turn();
  });
}

void Conductor::Loop::each_millisecond(Instant at) {
  read_events(at, kEventsPerTurn);
  HostFrame frame;
  for (unsigned i = 0; i < kFramesPerTurn && runtime_->poll_punted(frame); ++i) {
    if (slow_path_) slow_path_->take(frame);
  }
  judge_beats(at);
  alarms_.turn(at);
  tell_alarms(at);
  journal_.flush();
}

void Conductor::Loop::read_events(Instant at, unsigned most) {
  const Nanoseconds to_wall = wall_now() - runtime_->now();
  Event event;
  for (unsigned i = 0; i < most && runtime_->poll_event(event); ++i) {
    journal_.note(event, event.at + to_wall);
    watch_.note(event, at, alarms_);
  }
  const std::uint64_t missed = runtime_->missed_events();
  if (missed != missed_events_) journal_.miss(missed - missed_events_, wall_now());
  missed_events_ = missed;
}

void Conductor::Loop::judge_beats(Instant at) {
  runtime_->heartbeat_ages(ages_);
  const auto change = watchdog_.heard_beats(at, ages_);
  if (change == Watchdog::Change::None && !watchdog_.stalled()) return;
  for (unsigned w = 0; w < ages_.size(); ++w) {
    const unsigned core = spec_.appliance.worker_cores[w];
    const AlarmKey key{AlarmKind::WorkerStalled, {.core = core}};
    if (!watchdog_.is_stalled(w)) {
      alarms_.gone(key, at);
      continue;
    }
    alarms_.stands(key,
                   fmt::format("the worker on core {} made no progress for {} ms; give it the core "
                               "alone: castgate doctor says how",
                               core, Watchdog::kStalledAfter / std::chrono::milliseconds(1)),
                   at);
  }
}

void Conductor::Loop::judge_event_log(Instant at) {
  const AlarmKey key{AlarmKind::EventLog, {}};
  const std::uint64_t lost = journal_.lost() - lost_lines_;
  lost_lines_ = journal_.lost();
  if (!journal_.fault().empty()) {
    alarms_.stands(key,
                   fmt::format("event_log {}: {}; make room or name another file",
                               spec_.appliance.event_log, journal_.fault()),
                   at);
  } else if (lost != 0) {
    alarms_.stands(key, fmt::format("{} events are in no log: they came too fast", lost), at);
  } else {
    alarms_.gone(key, at);
  }
}

void Conductor::Loop::each_second() {
  journal_.turn();
  if (watchdog_.any_alive()) service_.pet();
  const Snapshot shown = snapshot();
  watch_.look(shown, now(), alarms_);
  judge_event_log(now());
  service_.status(summary_of(shown));
}

void Conductor::Loop::tell_alarms(Instant at) {
  for (const AlarmChange& change : alarms_.take_changes())
    journal_.note(change, change.cleared.value_or(change.raised) + (wall_now() - at));
}

// With what only we know.
Snapshot Conductor::Loop::snapshot() {
  Snapshot made = runtime_->snapshot();
  for (unsigned w = 0; w < made.workers.size(); ++w) made.workers[w].stalls = watchdog_.stalls(w);
  return made;
}

Status Conductor::Loop::status() {
  const auto& cleared = alarms_.cleared();
  return {.name = spec_.appliance.name,
          .uptime = Clock::now() - started_,
          .alarms = alarms_.standing(),
          .cleared = {cleared.begin(), cleared.end()},
          .to_wall = wall_now() - now(),
          .snapshot = runtime_ == nullptr ? Snapshot{} : snapshot()};
}

Conductor::Conductor(std::unique_ptr<Loop> loop) : loop_(std::move(loop)) {}
Conductor::~Conductor() = default;

Result<std::unique_ptr<Conductor>> Conductor::open(const Spec& spec, const std::string& socket) {
  auto loop = std::make_unique<Loop>(spec);
  if (auto ok = loop->listen(socket); !ok) return std::unexpected(ok.error());
  return std::unique_ptr<Conductor>(new Conductor(std::move(loop)));
}

Snapshot Conductor::run(Runtime& runtime, const std::function<void()>& on_hangup) {
  return loop_->run(runtime, on_hangup);
}

}  // namespace castgate
