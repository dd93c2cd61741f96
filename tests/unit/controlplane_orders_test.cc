// SPDX-License-Identifier: Apache-2.0
#include <csignal>
#include <nlohmann/json.hpp>
#include <thread>
#include <unistd.h>

#include <gtest/gtest.h>

#include "controlplane/conductor/conductor.h"
#include "controlplane/conductor/control_orders.h"
#include "tests/support/fake_runtime.h"
#include "tests/support/program.h"

namespace castgate {
namespace {

using nlohmann::json;

class OrdersTest : public testing::Test {
 protected:
  OrdersTest() {
    for (const char* name : {"news1", "news2"}) {
      StreamSpec& stream = spec_.streams.emplace_back();
      stream.name = name;
      for (const char* leg : {"A", "B"}) stream.legs.emplace_back().name = leg;
    }
  }

  std::string error(const std::string& request) {
    const auto reply = answer_order(request, spec_, [&](const Command& command) {
      sent_.push_back(command);
      return !full_;
    });
    return reply ? json::parse(*reply).value("error", "") : "no order";
  }
  std::string order(const std::string& stream, const std::string& leg, const std::string& action) {
    return error(json{{"leg", {{"stream", stream}, {"leg", leg}, {"action", action}}}}.dump());
  }

  Spec spec_;
  std::vector<Command> sent_;
  bool full_ = false;
};

TEST_F(OrdersTest, order_to_a_leg_reaches_the_workers_by_index) {
  EXPECT_EQ(order("news2", "B", "lockout"), "");
  EXPECT_EQ(order("news1", "A", "clear"), "");
  ASSERT_EQ(sent_.size(), 2u);
  EXPECT_EQ(sent_[0].kind, CommandKind::Leg);
  EXPECT_EQ(sent_[0].leg.stream, 1u);
  EXPECT_EQ(sent_[0].leg.leg, 1u);
  EXPECT_EQ(sent_[0].leg.action, LegAction::Lockout);
  EXPECT_EQ(sent_[1].leg.stream, 0u);
  EXPECT_EQ(sent_[1].leg.leg, 0u);
  EXPECT_EQ(sent_[1].leg.action, LegAction::Clear);
}

TEST_F(OrdersTest, unknown_names_are_answered_with_the_known_ones) {
  EXPECT_EQ(order("news3", "A", "clear"), "no stream 'news3'; this appliance has: news1, news2");
  EXPECT_EQ(order("news1", "C", "clear"), "stream news1 has no leg 'C'; it has: A, B");
  EXPECT_EQ(order("news1", "A", "loud"),
            "no action 'loud'; there are: lockout, forced, manual, clear");
  EXPECT_TRUE(sent_.empty());
}

TEST_F(OrdersTest, many_known_names_are_cut_short) {
  for (unsigned s = 3; s < 100; ++s) spec_.streams.emplace_back().name = "x" + std::to_string(s);
  EXPECT_TRUE(order("nobody", "A", "clear").ends_with("x20 and 79 more"));
}

TEST_F(OrdersTest, malformed_orders_get_an_error_and_other_requests_none) {
  for (const char* request :
       {R"({"leg":7})", R"({"leg":{}})", R"({"leg":{"stream":"news1","leg":"A"}})",
        R"({"leg":{"stream":"news1","leg":0,"action":"clear"}})",
        R"({"leg":{"stream":"news1","leg":"A","action":"clear","also":1}})"})
    EXPECT_TRUE(error(request).starts_with("expected {\"leg\"")) << request;
  for (const char* request : {"", "x", "[]", R"({"show":"all"})"})
    EXPECT_EQ(error(request), "no order");
  EXPECT_TRUE(sent_.empty());
}

TEST_F(OrdersTest, workers_that_take_nothing_are_an_error) {
  full_ = true;
  EXPECT_NE(order("news1", "A", "manual").find("try again"), std::string::npos);
}

TEST_F(OrdersTest, leg_command_orders_the_running_appliance) {
  const test::Scratch scratch;
  const std::string socket = scratch / "control.sock";
  auto conductor = Conductor::open(spec_, socket);
  ASSERT_TRUE(conductor.has_value());
  test::FakeRuntime runtime;
  test::Outcome good;
  test::Outcome wrong;
  std::thread user([&] {
    good = test::run("\"$CASTGATE\" leg news2 B forced --socket " + socket);
    wrong = test::run("\"$CASTGATE\" leg news7 B forced --socket " + socket);
    ::kill(::getpid(), SIGTERM);
  });
  (*conductor)->run(runtime, [](const Spec&) { return std::nullopt; });
  user.join();
  EXPECT_EQ(good.exit_code, 0) << good.err;
  EXPECT_EQ(good.out, "news2 leg B: forced\n");
  ASSERT_EQ(runtime.commands.size(), 1u);
  EXPECT_EQ(runtime.commands[0].leg.stream, 1u);
  EXPECT_EQ(runtime.commands[0].leg.action, LegAction::Forced);
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_NE(wrong.err.find("no stream 'news7'; this appliance has: news1, news2"),
            std::string::npos)
      << wrong.err;
}

}  // namespace
}  // namespace castgate
