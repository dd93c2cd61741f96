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

#include "controlplane/capture/live_capture.h"
#include "controlplane/conductor/control_orders.h"
#include "controlplane/conductor/control_protocol.h"
#include "controlplane/conductor/control_socket.h"
#include "controlplane/conductor/event_log.h"
#include "controlplane/conductor/service_notifier.h"
#include "controlplane/conductor/watchdog.h"
#include "controlplane/slow_path/slow_path.h"

namespace castgate {
namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kTurn{1};
constexpr std::chrono::seconds kSecond{1};
constexpr std::chrono::seconds kPeerPatience{5};  // with one that neither asks nor reads
constexpr unsigned kEventsPerTurn = 1024;         // a turn stays well under its millisecond
constexpr unsigned kFramesPerTurn = 256;

Instant instant_of(Clock::time_point at) {
  return {std::chrono::duration_cast<Nanoseconds>(at.time_since_epoch()).count()};
}

void log(const std::vector<LogLine>& lines) {
  for (const LogLine& line : lines)
    spdlog::log(line.is_warning ? spdlog::level::warn : spdlog::level::info, "{}", line.text);
}

std::string summary_of(const Snapshot& snapshot) {
  std::size_t legs = 0;
  std::size_t up = 0;
  for (const StreamSnapshot& stream : snapshot.streams) {
    legs += stream.legs.size();
    up += static_cast<std::size_t>(std::ranges::count_if(stream.legs, is_up, &LegSnapshot::state));
  }
  return fmt::format("{} streams, {} of {} legs up", snapshot.streams.size(), up, legs);
}

}  // namespace

class Conductor::Loop {
 public:
  explicit Loop(const Spec& spec)
      : spec_(spec), captures_(spec), events_(spec), started_(Clock::now()) {}

  Result<void> listen(const std::string& path);
  Snapshot run(Runtime& runtime, const std::function<void()>& on_hangup);

 private:
  void start_slow_path();
  void await_hangup(const std::function<void()>& on_hangup);
  void turn();
  void each_millisecond(Clock::time_point now);
  void each_second();
  void judge_beats(Clock::time_point now);
  void raise(const std::string& name, const std::string& text);
  void clear(const std::string& name);
  Snapshot snapshot();
  Status status();

  const Spec& spec_;
  Runtime* runtime_ = nullptr;
  LiveCaptures captures_;
  asio::io_context io_{1};
  asio::steady_timer timer_{io_};
  asio::signal_set signals_{io_, SIGTERM, SIGINT};
  asio::signal_set hangups_{io_, SIGHUP};
  std::unique_ptr<ControlSocket> socket_;
  std::optional<SlowPath> slow_path_;
  EventLog events_;
  Watchdog watchdog_;
  std::vector<Nanoseconds> ages_;  // of the workers' beats
  ServiceNotifier service_;
  std::vector<Alarm> alarms_;
  Clock::time_point started_;
  Clock::time_point next_second_;
};

Result<void> Conductor::Loop::listen(const std::string& path) {
  const auto handler = [this](std::string_view request) {
    const auto send = [this](const Command& command) {
      return runtime_ != nullptr && runtime_->command(command);
    };
    if (auto reply = answer_order(request, spec_, send)) return *std::move(reply);
    return answer(request, [this] { return status(); });
  };
  const auto stream = [this](std::string_view request) { return captures_.open(request); };
  auto socket = ControlSocket::open(io_, path, handler, kPeerPatience, stream);
  if (!socket) return std::unexpected(socket.error());
  socket_ = *std::move(socket);
  spdlog::info("control socket {}", path);
  return {};
}

Snapshot Conductor::Loop::run(Runtime& runtime, const std::function<void()>& on_hangup) {
  runtime_ = &runtime;
  captures_.set_runtime(&runtime);
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
  captures_.set_runtime(nullptr);
  socket_.reset();
  slow_path_.reset();
  runtime.drain();
  Event event;
  for (unsigned i = 0; i < kEventsPerTurn && runtime.poll_event(event); ++i)
    log(events_.note(event));
  log(events_.turn());
  const Snapshot last = snapshot();
  runtime_ = nullptr;
  return last;
}

void Conductor::Loop::await_hangup(const std::function<void()>& on_hangup) {
  hangups_.async_wait([this, &on_hangup](const boost::system::error_code& error, int) {
    if (error) return;
    on_hangup();
    await_hangup(on_hangup);
  });
}

// Streams flow without a host stack as well, where switches flood: an alarm, not the end.
void Conductor::Loop::start_slow_path() {
  slow_path_.emplace(io_, spec_, *runtime_,
                     SlowPath::Alarms{[this](const auto& name, const auto& text) {
                                        std::erase_if(alarms_, [&](const Alarm& alarm) {
                                          return alarm.name == name;
                                        });
                                        raise(name, text);
                                      },
                                      [this](const auto& name) { clear(name); }});
  if (auto started = slow_path_->start(); !started) raise("host_stack", started.error().text);
}

void Conductor::Loop::turn() {
  const auto now = Clock::now();
  each_millisecond(now);
  if (now >= next_second_) {
    next_second_ = now + kSecond;
    each_second();
  }
  timer_.expires_after(kTurn);  // after a pause of ours turns are not made up for
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) turn();
  });
}

void Conductor::Loop::each_millisecond(Clock::time_point now) {
  Event event;
  for (unsigned i = 0; i < kEventsPerTurn && runtime_->poll_event(event); ++i)
    log(events_.note(event));
  HostFrame frame;
  for (unsigned i = 0; i < kFramesPerTurn && runtime_->poll_punted(frame); ++i) {
    if (slow_path_) slow_path_->take(frame);
  }
  judge_beats(now);
}

void Conductor::Loop::judge_beats(Clock::time_point now) {
  runtime_->heartbeat_ages(ages_);
  switch (watchdog_.heard_beats(instant_of(now), ages_)) {
    case Watchdog::Change::None:
      return;
    case Watchdog::Change::Raised:
      return raise("worker_stalled",
                   fmt::format("the worker on core {} made no progress for {} ms",
                               spec_.appliance.worker_cores[watchdog_.stalled().value_or(0)],
                               Watchdog::kStalledAfter / std::chrono::milliseconds(1)));
    case Watchdog::Change::Cleared:
      return clear("worker_stalled");
  }
}

void Conductor::Loop::each_second() {
  log(events_.turn());
  captures_.turn();
  if (watchdog_.any_alive()) service_.pet();
  service_.status(summary_of(snapshot()));
}

void Conductor::Loop::raise(const std::string& name, const std::string& text) {
  alarms_.push_back({name, text});
  spdlog::error("alarm {} raised: {}", name, text);
}

void Conductor::Loop::clear(const std::string& name) {
  std::erase_if(alarms_, [&](const Alarm& alarm) { return alarm.name == name; });
  spdlog::warn("alarm {} cleared", name);
}

// With what only we know.
Snapshot Conductor::Loop::snapshot() {
  Snapshot made = runtime_->snapshot();
  for (unsigned w = 0; w < made.workers.size(); ++w) made.workers[w].stalls = watchdog_.stalls(w);
  return made;
}

Status Conductor::Loop::status() {
  return {spec_.appliance.name, Clock::now() - started_, alarms_,
          runtime_ == nullptr ? Snapshot{} : snapshot()};
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
