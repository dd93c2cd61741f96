// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <csignal>
#include <cstring>
#include <functional>
#include <optional>
#include <sys/socket.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>

#include <gtest/gtest.h>

#include "controlplane/conductor/conductor.h"
#include "controlplane/conductor/control_client.h"
#include "controlplane/report/wall_time.h"
#include "tests/support/fake_runtime.h"
#include "tests/support/program.h"

namespace castgate {
namespace {

using namespace std::chrono_literals;

// A runtime whose workers can be made to stand still from another thread.
class StallingRuntime final : public Runtime {
 public:
  Snapshot snapshot() override {
    Snapshot made;
    made.workers = {{.core = 3}, {.core = 5}};
    return made;
  }
  bool poll_event(Event& event) override {
    event = {.kind = EventKind::Gap, .stream = 0, .at = {}};
    ++events_read;
    return true;  // there is always one more
  }
  Instant now() override { return {}; }
  std::uint64_t missed_events() override { return 0; }
  bool poll_punted(HostFrame&) override { return ++frames_read, true; }
  bool inject(unsigned, std::span<const std::byte>) override { return true; }
  bool command(const Command&) override { return true; }
  Result<ClientPlace> join(const ClientRoute&, const ClientKey*) override {
    return fail("no clients here");
  }
  bool leave(const ClientPlace&) override { return false; }
  bool change(const ClientPlace&, const ClientRoute&) override { return false; }
  ClientCounters client_counters(const ClientPlace&) const override { return {}; }
  std::optional<SentPacket> find_sent(const ClientPlace&, const QuotedPacket&) const override {
    return std::nullopt;
  }
  bool poll_captured(CapturedPacket&) override { return false; }
  Result<ReloadReport> reload(const Spec&) override { return ReloadReport{}; }
  std::uint64_t capture_missed() const override { return 0; }
  void heartbeat_ages(std::vector<Nanoseconds>& ages) override {
    ages = {0ns, stalled ? std::chrono::steady_clock::now() - since : 0ns};
  }
  void drain() override { drained = true; }

  std::atomic<bool> stalled = false;
  std::chrono::steady_clock::time_point since = std::chrono::steady_clock::now();
  std::atomic<std::uint64_t> events_read = 0;
  std::atomic<std::uint64_t> frames_read = 0;
  bool drained = false;
};

class ConductorTest : public testing::Test {
 protected:
  ConductorTest() {
    spec_.appliance.name = "edge-1";
    spec_.appliance.worker_cores = {3, 5};
    spec_.streams.emplace_back().name = "news1";
  }

  // Runs the conductor while `user` does what a user does; then sends SIGTERM.
  Snapshot conduct(Runtime& runtime, const std::function<void()>& user) {
    auto conductor = Conductor::open(spec_, socket_);
    EXPECT_TRUE(conductor.has_value());
    std::thread other([&] {
      user();
      ::kill(::getpid(), SIGTERM);
    });
    const Snapshot last = (*conductor)->run(runtime, [this](const Spec&) {
      ++hangups_;
      return std::nullopt;
    });
    other.join();
    return last;
  }

  // Waits for the conductor to answer at all, on a slow machine too.
  nlohmann::json alarms() {
    auto reply = ask_castgate(socket_, {{"show", "workers"}});
    for (int i = 0; i < 100 && !reply; ++i) {
      std::this_thread::sleep_for(50ms);
      reply = ask_castgate(socket_, {{"show", "workers"}});
    }
    return reply ? (*reply)["alarms"] : nlohmann::json(reply.error().text);
  }

  test::Scratch scratch_;
  std::string socket_ = scratch_ / "control.sock";
  std::atomic<unsigned> hangups_ = 0;
  Spec spec_;
};

TEST_F(ConductorTest, sigterm_drains_and_gives_the_final_counters) {
  test::FakeRuntime runtime;
  runtime.shown.ledger.in = 42;
  const Snapshot last = conduct(runtime, [] {});
  EXPECT_TRUE(runtime.drained);
  EXPECT_EQ(last.ledger.in, 42u);
  EXPECT_FALSE(std::filesystem::exists(socket_));
}

TEST_F(ConductorTest, counters_are_served_while_it_runs) {
  test::FakeRuntime runtime;
  runtime.shown.streams.emplace_back().name = "news1";
  runtime.shown.streams[0].forwarded = 7;
  conduct(runtime, [&] {
    const auto reply = ask_castgate(socket_, {{"show", "all"}});
    ASSERT_TRUE(reply.has_value()) << reply.error().text;
    EXPECT_EQ((*reply)["streams"][0]["forwarded"], 7);
    EXPECT_EQ((*reply)["appliance"], "edge-1");
  });
}

TEST_F(ConductorTest, stalled_worker_raises_an_alarm_that_its_beats_clear) {
  StallingRuntime runtime;
  conduct(runtime, [&] {
    std::this_thread::sleep_for(50ms);
    EXPECT_EQ(alarms(), nlohmann::json::array());
    runtime.since = std::chrono::steady_clock::now();
    runtime.stalled = true;
    for (int i = 0; i < 100 && alarms().empty(); ++i) std::this_thread::sleep_for(50ms);
    ASSERT_EQ(alarms().size(), 1);
    EXPECT_EQ(alarms().at(0).at("id"), "worker_stalled/5");
    EXPECT_EQ(alarms().at(0).at("text"),
              "the worker on core 5 made no progress for 20 ms; give it the core alone: castgate "
              "doctor says how");
    runtime.stalled = false;
    // Its hold-down is a second.
    for (int i = 0; i < 100 && !alarms().empty(); ++i) std::this_thread::sleep_for(50ms);
    const auto reply = ask_castgate(socket_, {{"show", "workers"}});
    ASSERT_TRUE(reply.has_value()) << reply.error().text;
    EXPECT_EQ((*reply)["alarms"], nlohmann::json::array());
    EXPECT_EQ((*reply)["workers"][0]["stalls"], 0);
    EXPECT_EQ((*reply)["workers"][1]["stalls"], 1);
  });
}

TEST_F(ConductorTest, flood_of_events_and_frames_leaves_room_for_all_else) {
  StallingRuntime runtime;
  conduct(runtime, [&] {
    std::this_thread::sleep_for(50ms);
    EXPECT_EQ(alarms(), nlohmann::json::array());
  });
  EXPECT_GT(runtime.events_read, 1024u);
  EXPECT_GT(runtime.frames_read, 256u);
}

TEST_F(ConductorTest, group_that_cannot_be_joined_is_an_alarm_and_not_the_end) {
  PortSpec& port = spec_.ports.emplace_back();
  port.name = "red";
  port.device = "net_af_packet0,iface=nowhere0";
  spec_.streams[0].legs.push_back(
      {.name = "A", .port = 0, .vlan = {}, .from = {}, .to = *Endpoint::parse("239.1.0.1:5000")});
  test::FakeRuntime runtime;
  runtime.shown = test::blank_snapshot(spec_);
  conduct(runtime, [&] { EXPECT_EQ(alarms().at(0).at("id"), "host_stack"); });
}

TEST_F(ConductorTest, events_and_alarms_are_lines_of_the_event_log) {
  spec_.appliance.event_log = scratch_ / "events";
  spec_.streams[0].legs.emplace_back().name = "A";
  test::FakeRuntime runtime;
  runtime.shown = test::blank_snapshot(spec_);
  runtime.time = {5'000'000'000};
  runtime.missed = 3;
  runtime.events = {{.kind = EventKind::LegSilent, .stream = 0, .at = {4'000'000'000}}};
  const auto wall = [] { return std::chrono::system_clock::now().time_since_epoch(); };
  const auto began = wall();
  conduct(runtime, [&] { EXPECT_EQ(alarms().at(0).at("id"), "leg_silent/news1/A"); });
  std::istringstream text(scratch_.read("events"));
  std::vector<nlohmann::json> lines;
  for (std::string line; std::getline(text, line);) lines.push_back(nlohmann::json::parse(line));
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0].at("event"), "leg_silent");
  // A second ago by the runtime's clock.
  const std::string at = lines[0].at("at");
  EXPECT_GE(at, wall_time({(began - 1100ms).count()}));
  EXPECT_LE(at, wall_time({(wall() - 1000ms).count()}));
  EXPECT_EQ(lines[1].at("count"), 3);
  EXPECT_EQ(lines[2].at("event"), "alarm_raised");
}

TEST_F(ConductorTest, event_log_that_cannot_be_written_is_refused_at_the_start) {
  spec_.appliance.event_log = scratch_ / "none/events";
  EXPECT_FALSE(Conductor::open(spec_, socket_).has_value());
}

TEST_F(ConductorTest, what_the_counters_say_is_an_alarm_within_seconds) {
  StreamSpec& stream = spec_.streams[0];
  stream.legs.emplace_back().name = "A";
  stream.monitor.down_after = 1s;
  test::FakeRuntime runtime;
  runtime.shown = test::blank_snapshot(spec_);
  conduct(runtime, [&] {
    for (int i = 0; i < 100 && alarms().empty(); ++i) std::this_thread::sleep_for(50ms);
    EXPECT_EQ(alarms().at(0).at("id"), "all_legs_down/news1");
  });
}

TEST_F(ConductorTest, hangup_is_told_each_time_and_ends_nothing) {
  test::FakeRuntime runtime;
  conduct(runtime, [&] {
    for (unsigned i = 1; i <= 20; ++i) {
      ::kill(::getpid(), SIGHUP);
      for (unsigned turn = 0; turn < 500 && hangups_ < i; ++turn) std::this_thread::sleep_for(2ms);
    }
    EXPECT_EQ(alarms(), nlohmann::json::array());
  });
  EXPECT_EQ(hangups_, 20u);
}

TEST_F(ConductorTest, second_appliance_on_the_socket_is_refused) {
  test::FakeRuntime runtime;
  conduct(runtime, [&] {
    Spec other;
    const auto second = Conductor::open(other, socket_);
    ASSERT_FALSE(second.has_value());
    EXPECT_NE(second.error().text.find("runs there already"), std::string::npos);
  });
}

// What a service manager hears on its socket.
class ServiceManager {
 public:
  explicit ServiceManager(const std::string& path) : socket_(::socket(AF_UNIX, SOCK_DGRAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strcpy(address.sun_path, path.c_str());
    EXPECT_EQ(::bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
    ::setenv("WATCHDOG_USEC", "10000000", 1);
  }
  ~ServiceManager() {
    ::unsetenv("NOTIFY_SOCKET");
    ::unsetenv("WATCHDOG_USEC");
    ::close(socket_);
  }
  std::string heard() {
    std::string all;
    char part[4096];
    for (ssize_t got = 1; got > 0;) {
      got = ::recv(socket_, part, sizeof part, MSG_DONTWAIT);
      if (got > 0) all.append(part, static_cast<std::size_t>(got)).append("\n");
    }
    return all;
  }

 private:
  int socket_;
};

TEST_F(ConductorTest, service_manager_hears_ready_watchdog_and_stopping) {
  ServiceManager manager(scratch_ / "notify.sock");
  test::FakeRuntime runtime;
  conduct(runtime, [] { std::this_thread::sleep_for(1200ms); });
  const std::string heard = manager.heard();
  EXPECT_EQ(heard.find("READY=1"), 0u) << heard;
  EXPECT_NE(heard.find("WATCHDOG=1"), std::string::npos) << heard;
  EXPECT_NE(heard.find("STOPPING=1"), std::string::npos) << heard;
}

}  // namespace
}  // namespace castgate
