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
#include <utility>

#include "controlplane/admin/metrics_door.h"
#include "controlplane/capture/live_capture.h"
#include "controlplane/clients/client_service.h"
#include "controlplane/conductor/control_orders.h"
#include "controlplane/conductor/control_protocol.h"
#include "controlplane/conductor/control_socket.h"
#include "controlplane/conductor/overseer.h"
#include "controlplane/conductor/service_notifier.h"
#include "controlplane/conductor/snapshot_view.h"
#include "controlplane/slow_path/slow_path.h"

namespace castgate {
namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kTurn{1};
constexpr std::chrono::seconds kSecond{1};
constexpr std::chrono::seconds kPeerPatience{5};  // with one that neither asks nor reads
constexpr unsigned kFramesPerTurn = 256;          // a turn stays well under its millisecond

Instant instant_of(Clock::time_point at) {
  return {std::chrono::duration_cast<Nanoseconds>(at.time_since_epoch()).count()};
}

Instant now() {
  return instant_of(Clock::now());
}

Moment this_moment() {
  const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
  return {now(), {std::chrono::duration_cast<Nanoseconds>(since_1970).count()}};
}

}  // namespace

class Conductor::Loop {
 public:
  explicit Loop(const Spec& spec)
      : spec_(spec),
        captures_(spec_),
        clients_(io_, spec_),
        started_(Clock::now()),
        overseer_(spec_, instant_of(started_)) {
    overseer_.set_wanted(wanted_);
  }

  Result<void> listen(const std::string& path);
  Snapshot run(Runtime& runtime, const ReadAgain& read_again, std::function<void()> each_turn);

 private:
  void start_slow_path();
  void await_hangup(const ReadAgain& read_again);
  void reload(const Spec& wanted);
  void judge_slow_path(const Result<void>& result);
  void turn();
  void each_millisecond();
  void each_second();
  Snapshot snapshot();
  Status status();

  Spec spec_;                       // what runs; every part of ours looks at this one
  std::vector<std::string> order_;  // of the streams, as in the file; empty before a reload
  Runtime* runtime_ = nullptr;
  LiveCaptures captures_;
  asio::io_context io_{1};
  ClientService clients_;
  asio::steady_timer timer_{io_};
  asio::signal_set signals_{io_, SIGTERM, SIGINT};
  asio::signal_set hangups_{io_, SIGHUP};
  std::unique_ptr<ControlSocket> socket_;
  std::unique_ptr<MetricsDoor> metrics_;
  std::optional<SlowPath> slow_path_;
  ServiceNotifier service_;
  Clock::time_point started_;
  Instant started_wall_ = this_moment().wall;
  Overseer overseer_;
  Clock::time_point next_second_;
  std::function<void()> each_turn_;
  std::function<bool(std::size_t)> wanted_ = [this](std::size_t stream) {
    return clients_.wanted(stream);
  };
};

Result<void> Conductor::Loop::listen(const std::string& path) {
  const auto handler = [this](std::string_view request) {
    const auto send = [this](const Command& command) {
      return runtime_ != nullptr && runtime_->command(command);
    };
    if (auto reply = answer_order(request, spec_, send)) return *std::move(reply);
    if (auto reply = clients_.answer(request, now())) return *std::move(reply);
    return answer(request, [this] { return status(); });
  };
  const auto stream = [this](std::string_view request) { return captures_.open(request); };
  auto socket = ControlSocket::open(io_, path, handler, kPeerPatience, stream);
  if (!socket) return std::unexpected(socket.error());
  socket_ = *std::move(socket);
  if (auto opened = overseer_.open(); !opened) return opened;
  spdlog::info("control socket {}", path);
  if (const auto& metrics = spec_.doors.metrics) {
    auto opened = MetricsDoor::open(io_, *metrics, [this] { return status(); });
    if (!opened) return std::unexpected(opened.error());
    metrics_ = *std::move(opened);
  }
  return clients_.open_doors();
}

Snapshot Conductor::Loop::run(Runtime& runtime, const ReadAgain& read_again,
                              std::function<void()> each_turn) {
  each_turn_ = std::move(each_turn);
  runtime_ = &runtime;
  captures_.set_runtime(&runtime);
  if (auto started = clients_.start(runtime); !started) {
    spdlog::error("{}: clients are not kept over a restart", started.error().text);
  }
  signals_.async_wait([this](const boost::system::error_code& error, int signal) {
    if (error) return;
    spdlog::info("{}: draining", signal == SIGTERM ? "SIGTERM" : "SIGINT");
    io_.stop();
  });
  await_hangup(read_again);
  next_second_ = Clock::now() + kSecond;
  start_slow_path();
  service_.ready(summary_of(snapshot()));
  spdlog::info("{}: {} ports, {} streams, running", spec_.appliance.name, spec_.ports.size(),
               spec_.streams.size());
  turn();
  io_.run();

  service_.stopping();
  captures_.set_runtime(nullptr);
  clients_.stop();
  socket_.reset();
  metrics_.reset();
  slow_path_.reset();
  runtime.drain();
  overseer_.finish(runtime, this_moment());
  Snapshot last = in_file_order(snapshot(), order_);
  runtime_ = nullptr;
  return last;
}

void Conductor::Loop::await_hangup(const ReadAgain& read_again) {
  hangups_.async_wait([this, &read_again](const boost::system::error_code& error, int) {
    if (error) return;
    overseer_.reopen_log();
    if (auto read = clients_.read_files_again(); !read) {
      spdlog::error("SIGHUP: {}; the door keeps what it had", read.error().text);
    }
    if (const auto wanted = read_again(spec_)) reload(*wanted);
    await_hangup(read_again);
  });
}

// New groups are joined once packets of them have somewhere to go, old ones are left at the end.
void Conductor::Loop::reload(const Spec& wanted) {
  const Spec next = arranged(spec_, wanted);
  const auto report = runtime_->reload(next);
  if (!report) {
    spdlog::error("SIGHUP: {}; what runs goes on", report.error().text);
    return;
  }
  overseer_.follow(next, *runtime_, this_moment());
  const Spec before = std::exchange(spec_, next);
  if (const unsigned gone = clients_.follow(before); gone != 0)
    spdlog::warn("SIGHUP: {} clients went with their outputs", gone);
  order_.clear();
  for (const StreamSpec& stream : wanted.streams) order_.push_back(stream.name);
  if (slow_path_) judge_slow_path(slow_path_->follow());
  spdlog::info(
      "SIGHUP: {} streams added, {} removed, {} changed, {} unchanged; no worker was held "
      "up for longer than {:.1f} us",
      report->added, report->removed, report->changed, report->unchanged,
      static_cast<double>(report->longest.count()) / 1000);
}

void Conductor::Loop::judge_slow_path(const Result<void>& result) {
  if (!result) overseer_.alarms().stands({AlarmKind::HostStack, {}}, result.error().text, now());
}

// Streams flow without a host stack as well, where switches flood: an alarm, not the end.
void Conductor::Loop::start_slow_path() {
  const auto network = [](const std::string& name) {
    return AlarmKey{AlarmKind::NoQuerier, {.port = name}};
  };
  const SlowPath::Alarms alarms{
      [=, this](const auto& name, const auto& text) {
        overseer_.alarms().stands(network(name), text, now());
      },
      [=, this](const auto& name) { overseer_.alarms().gone(network(name), now()); }};
  const auto changed = [this](const Hop& hop, std::optional<MacAddress> mac) {
    clients_.next_hops().changed(hop, mac);
  };
  const auto routes = [this](const std::optional<IpPrefix>& to) {
    clients_.routes_changed(to, now());
  };
  static_cast<void>(clients_.demand_changed(now()));
  slow_path_.emplace(io_, spec_, *runtime_, alarms, SlowPath::Asked{wanted_, changed, routes});
  judge_slow_path(slow_path_->start());
  clients_.next_hops().set_resolver(&slow_path_->hops());
  routes(std::nullopt);  // clients of the run before were there earlier than who knows them
  if (const NetNamespace* space = slow_path_->twins_space()) {
    judge_slow_path(
        clients_.open_doors_on_twins([&](const auto& open) { return space->run(open); }));
  }
}

void Conductor::Loop::turn() {
  const auto at = Clock::now();
  each_millisecond();
  if (at >= next_second_) {
    next_second_ = at + kSecond;
    each_second();
  }
  timer_.expires_after(kTurn);  // after a pause of ours turns are not made up for
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) turn();
  });
}

void Conductor::Loop::each_millisecond() {
  each_turn_();
  overseer_.turn(*runtime_, this_moment());
  clients_.turn(now());
  for (const ClientGone& client : clients_.take_gone()) overseer_.note(client, this_moment());
  if (slow_path_ && clients_.demand_changed(now())) judge_slow_path(slow_path_->follow());
  HostFrame frame;
  for (unsigned i = 0; i < kFramesPerTurn && runtime_->poll_punted(frame); ++i) {
    if (!clients_.heard(frame, now()) && slow_path_) slow_path_->take(frame);
  }
}

void Conductor::Loop::each_second() {
  captures_.turn();
  if (overseer_.watchdog().any_alive()) service_.pet();
  const Snapshot shown = snapshot();
  if (const auto& fault = clients_.fault()) {
    overseer_.alarms().stands({AlarmKind::StateDir, {}}, *fault, now());
  } else {
    overseer_.alarms().gone({AlarmKind::StateDir, {}}, now());
  }
  overseer_.look(shown, now());
  service_.status(summary_of(shown));
}

// With what only we know.
Snapshot Conductor::Loop::snapshot() {
  Snapshot made = runtime_->snapshot();
  for (unsigned w = 0; w < made.workers.size(); ++w)
    made.workers[w].stalls = overseer_.watchdog().stalls(w);
  return made;
}

Status Conductor::Loop::status() {
  const auto& cleared = overseer_.alarms().cleared();
  const Moment shown = this_moment();
  return {.name = spec_.appliance.name,
          .uptime = Clock::now() - started_,
          .started = started_wall_,
          .alarms = overseer_.alarms().standing(),
          .cleared = {cleared.begin(), cleared.end()},
          .to_wall = shown.wall - shown.at,
          .snapshot = runtime_ == nullptr ? Snapshot{} : in_file_order(snapshot(), order_),
          .doors = clients_.doors(),
          .icmp = clients_.icmp()};
}

Conductor::Conductor(std::unique_ptr<Loop> loop) : loop_(std::move(loop)) {}
Conductor::~Conductor() = default;

Result<std::unique_ptr<Conductor>> Conductor::open(const Spec& spec, const std::string& socket) {
  auto loop = std::make_unique<Loop>(spec);
  if (auto ok = loop->listen(socket); !ok) return std::unexpected(ok.error());
  return std::unique_ptr<Conductor>(new Conductor(std::move(loop)));
}

Snapshot Conductor::run(Runtime& runtime, const ReadAgain& read_again,
                        std::function<void()> each_turn) {
  return loop_->run(runtime, read_again, std::move(each_turn));
}

}  // namespace castgate
