// SPDX-License-Identifier: Apache-2.0
// SIGHUP: what the conductor makes of a file that was read again.
#include <atomic>
#include <csignal>
#include <optional>
#include <thread>
#include <unistd.h>
#include <utility>

#include <gtest/gtest.h>

#include "controlplane/conductor/conductor.h"
#include "controlplane/conductor/control_client.h"
#include "tests/support/fake_runtime.h"
#include "tests/support/program.h"

namespace castgate {
namespace {

using namespace std::chrono_literals;

class ConductorReloadTest : public testing::Test {
 protected:
  ConductorReloadTest() { spec_.streams.emplace_back().name = "news1"; }

  // Runs the conductor while `user` does what a user does; then sends SIGTERM.
  void conduct(Runtime& runtime, const std::function<void()>& user) {
    auto conductor = Conductor::open(spec_, socket_);
    ASSERT_TRUE(conductor.has_value());
    std::thread other([&] {
      user();
      ::kill(::getpid(), SIGTERM);
    });
    (*conductor)->run(runtime, [this](const Spec&) {
      ++hangups_;
      return std::exchange(wanted_, std::nullopt);
    });
    other.join();
  }

  test::Scratch scratch_;
  std::string socket_ = scratch_ / "control.sock";
  std::atomic<unsigned> hangups_ = 0;
  std::optional<Spec> wanted_;  // what the next hangup reads
  Spec spec_;
};

TEST_F(ConductorReloadTest, hangup_makes_what_runs_into_what_the_file_says) {
  test::FakeRuntime runtime;
  StreamSpec& news2 = spec_.streams.emplace_back();
  news2.name = "news2";
  Spec wanted = spec_;
  wanted.streams[0].name = "news3";
  std::swap(wanted.streams[0], wanted.streams[1]);  // news2, news3
  wanted_ = wanted;
  const auto names = [&] {
    const auto reply = ask_castgate(socket_, {{"show", "all"}});
    std::vector<std::string> all;
    for (const auto& stream : reply.value()["streams"]) all.push_back(stream["name"]);
    return all;
  };
  runtime.shown.streams.resize(3);  // as the data plane shows the places after it
  runtime.shown.streams[1].name = "news2";
  runtime.shown.streams[2].name = "news3";
  conduct(runtime, [&] {
    ::kill(::getpid(), SIGHUP);
    while (hangups_ == 0) std::this_thread::sleep_for(1ms);
    EXPECT_EQ(names(), (std::vector<std::string>{"news2", "news3"}));
    // The next one finds a file that cannot take the place of what runs.
    ::kill(::getpid(), SIGHUP);
    while (hangups_ == 1) std::this_thread::sleep_for(1ms);
  });
  ASSERT_EQ(runtime.reloads.size(), 1u);
  const Spec& reloaded = runtime.reloads[0];
  ASSERT_EQ(reloaded.streams.size(), 3u);
  EXPECT_TRUE(reloaded.streams[0].is_vacant()) << "news1 is gone";
  EXPECT_EQ(reloaded.streams[1].name, "news2");
  EXPECT_EQ(reloaded.streams[2].name, "news3");
}

TEST_F(ConductorReloadTest, reload_that_the_data_plane_refuses_changes_nothing) {
  test::FakeRuntime runtime;
  runtime.reload_error = "a worker does not answer";
  runtime.shown.streams.emplace_back().name = "news1";
  wanted_ = spec_;
  wanted_->streams.clear();
  conduct(runtime, [&] {
    ::kill(::getpid(), SIGHUP);
    while (hangups_ == 0) std::this_thread::sleep_for(1ms);
    const auto reply = ask_castgate(socket_, {{"show", "all"}});
    EXPECT_EQ(reply.value()["streams"].size(), 1u);
  });
  EXPECT_EQ(runtime.reloads.size(), 1u);
}

}  // namespace
}  // namespace castgate
