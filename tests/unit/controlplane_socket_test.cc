// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>

#include <gtest/gtest.h>

#include "controlplane/conductor/control_client.h"
#include "controlplane/conductor/control_protocol.h"
#include "controlplane/conductor/control_socket.h"
#include "tests/support/program.h"

namespace castgate {
namespace {

using namespace std::chrono_literals;

Status calm() {
  return {.name = "edge-1", .uptime = 2s, .alarms = {}, .snapshot = {}};
}

bool refused(const std::string& request) {
  const auto reply = nlohmann::json::parse(answer(request, calm), nullptr, false);
  return reply.is_object() && reply.contains("error") && reply.size() == 1;
}

TEST(ControlProtocolTest, each_subject_is_answered_with_its_part) {
  for (const char* subject : {"streams", "legs", "skew", "ports", "workers", "alarms", "all"}) {
    const std::string line = answer(nlohmann::json{{"show", subject}}.dump(), calm);
    ASSERT_EQ(line.find('\n'), line.size() - 1);
    const auto reply = nlohmann::json::parse(line);
    EXPECT_EQ(reply["appliance"], "edge-1");
    EXPECT_EQ(reply["uptime_seconds"], 2.0);
    EXPECT_EQ(reply.contains("ports"),
              subject == std::string("ports") || subject == std::string("all"));
  }
}

TEST(ControlProtocolTest, malformed_requests_get_an_error) {
  for (const char* request :
       {"", "x", "{", "[]", "7", "null", "{}", R"({"show":7})", R"({"show":"passwords"})",
        R"({"hide":"streams"})", R"({"show":"streams","also":1})", "\xff\xfe"})
    EXPECT_TRUE(refused(request)) << request;
  EXPECT_TRUE(refused(std::string(100'000, '[')));
}

TEST(ControlProtocolTest, alarms_are_told) {
  const auto reply = nlohmann::json::parse(answer(R"({"show":"ports"})", [] {
    Status loud = calm();
    loud.alarms = {{.key = {AlarmKind::NoQuerier, {.port = "red"}},
                    .text = "nobody asks",
                    .raised = {2'000'000'000},
                    .cleared = {}}};
    loud.to_wall = 1s;
    return loud;
  }));
  EXPECT_EQ(reply["alarms"], nlohmann::json::parse(R"([{
    "id": "no_querier/red", "alarm": "no_querier", "severity": "warning", "port": "red",
    "raised": "1970-01-01T00:00:03.000000000Z", "cleared": null, "times": 1,
    "text": "nobody asks"}])"));
  EXPECT_FALSE(reply.contains("cleared"));
}

TEST(ControlProtocolTest, cleared_alarms_are_told_to_who_asks_for_alarms) {
  const auto reply = nlohmann::json::parse(answer(R"({"show":"alarms"})", [] {
    Status past = calm();
    past.cleared = {{.key = {AlarmKind::HostStack, {}},
                     .text = "gone",
                     .raised = {},
                     .cleared = Instant{1'000'000'000}}};
    return past;
  }));
  EXPECT_EQ(reply["alarms"], nlohmann::json::array());
  EXPECT_EQ(reply["cleared"][0]["id"], "host_stack");
  EXPECT_EQ(reply["cleared"][0]["cleared"], "1970-01-01T00:00:01.000000000Z");
}

TEST(ControlProtocolTest, skew_is_told_by_bucket_to_who_asks_for_it) {
  const auto skewed = [] {
    Status status = calm();
    status.snapshot.streams.emplace_back().legs.emplace_back().skew.add(1024, 3);
    return status;
  };
  const auto reply = nlohmann::json::parse(answer(R"({"show":"skew"})", skewed));
  EXPECT_EQ(reply["streams"][0]["legs"][0]["skew_histogram"],
            nlohmann::json::parse(R"([{"from_ns":1024,"below_ns":1280,"count":3}])"));
  const auto legs = nlohmann::json::parse(answer(R"({"show":"legs"})", skewed));
  EXPECT_FALSE(legs["streams"][0]["legs"][0].contains("skew_histogram"));
}

// A server on a thread of its own, with a short patience.
class ControlSocketTest : public testing::Test {
 protected:
  void serve(ControlSocket::Handler handler) {
    auto opened = ControlSocket::open(io_, path_, std::move(handler), 300ms);
    ASSERT_TRUE(opened.has_value()) << opened.error().text;
    socket_ = *std::move(opened);
    thread_ = std::thread([this] { io_.run(); });
  }
  void serve_status() {
    serve([](std::string_view request) { return answer(request, calm); });
  }
  void TearDown() override {
    for (const int peer : peers_) ::close(peer);
    io_.stop();
    if (thread_.joinable()) thread_.join();
    socket_.reset();
    EXPECT_FALSE(std::filesystem::exists(path_) && expect_removed_);
  }

  int connect() {
    const int peer = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strcpy(address.sun_path, path_.c_str());
    EXPECT_EQ(::connect(peer, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    peers_.push_back(peer);
    return peer;
  }
  // Everything until the server closes.
  static std::string rest_of(int peer) {
    std::string all;
    char part[4096];
    for (ssize_t got = 1; got > 0;) {
      got = ::recv(peer, part, sizeof part, 0);
      if (got > 0) all.append(part, static_cast<std::size_t>(got));
    }
    return all;
  }
  static void say(int peer, const std::string& text) {
    EXPECT_EQ(::send(peer, text.data(), text.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(text.size()));
  }
  bool answers() { return ask_castgate(path_, {{"show", "all"}}).has_value(); }

  test::Scratch scratch_;
  std::string path_ = scratch_ / "run/castgate/control.sock";
  bool expect_removed_ = true;
  boost::asio::io_context io_;
  std::unique_ptr<ControlSocket> socket_;
  std::thread thread_;
  std::vector<int> peers_;
};

TEST_F(ControlSocketTest, client_gets_the_answer) {
  serve_status();
  const auto reply = ask_castgate(path_, {{"show", "ports"}});
  ASSERT_TRUE(reply.has_value()) << reply.error().text;
  EXPECT_EQ((*reply)["appliance"], "edge-1");
}

TEST_F(ControlSocketTest, refusal_is_an_error_at_the_client) {
  serve_status();
  const auto reply = ask_castgate(path_, {{"show", "passwords"}});
  ASSERT_FALSE(reply.has_value());
  EXPECT_NE(reply.error().text.find("expected {\\\"show\\\""), std::string::npos)
      << reply.error().text;
}

TEST_F(ControlSocketTest, only_owner_and_group_may_connect) {
  serve_status();
  struct stat facts{};
  ASSERT_EQ(::stat(path_.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777u, 0660u);
}

TEST_F(ControlSocketTest, several_requests_go_over_one_connection) {
  serve_status();
  const int peer = connect();
  say(peer, "{\"show\":\"ports\"}\nnonsense\n{\"show\":");
  say(peer, "\"workers\"}\n");
  ::shutdown(peer, SHUT_WR);
  const std::string all = rest_of(peer);
  EXPECT_EQ(std::count(all.begin(), all.end(), '\n'), 3) << all;
}

TEST_F(ControlSocketTest, request_without_end_is_refused_and_let_go) {
  serve_status();
  const int peer = connect();
  say(peer, std::string(kMaxRequest + 1, 'x'));
  EXPECT_EQ(rest_of(peer), "{\"error\":\"request is longer than 4096 bytes\"}\n");
  EXPECT_TRUE(answers());
}

TEST_F(ControlSocketTest, silent_peers_are_let_go) {
  serve_status();
  const int peer = connect();
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(rest_of(peer), "");
  EXPECT_LT(std::chrono::steady_clock::now() - began, 3s);
}

TEST_F(ControlSocketTest, peer_that_never_reads_holds_nobody_up) {
  serve([](std::string_view) { return std::string(8u << 20, 'x') + '\n'; });
  const int stuck = connect();
  say(stuck, "a\n");
  const int other = connect();
  say(other, "b\n");
  ::shutdown(other, SHUT_WR);
  EXPECT_EQ(rest_of(other).size(), (8u << 20) + 1);
  std::this_thread::sleep_for(600ms);
  EXPECT_LT(rest_of(stuck).size(), 8u << 20);  // it was cut off
}

TEST_F(ControlSocketTest, sessions_are_bounded_and_come_free_again) {
  serve_status();
  for (unsigned i = 0; i < 3 * ControlSocket::kMaxSessions; ++i) connect();
  std::this_thread::sleep_for(100ms);
  EXPECT_FALSE(answers());
  std::this_thread::sleep_for(600ms);
  EXPECT_TRUE(answers());
}

TEST_F(ControlSocketTest, stale_socket_is_replaced) {
  std::filesystem::create_directories(std::filesystem::path(path_).parent_path());
  const int stale = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, path_.c_str());
  ASSERT_EQ(::bind(stale, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ::close(stale);
  serve_status();
  EXPECT_TRUE(answers());
}

TEST_F(ControlSocketTest, live_socket_is_refused_and_goes_on) {
  serve_status();
  boost::asio::io_context second;
  const auto opened = ControlSocket::open(second, path_, [](std::string_view) { return ""; });
  ASSERT_FALSE(opened.has_value());
  EXPECT_NE(opened.error().text.find("a castgate runs there already"), std::string::npos);
  EXPECT_TRUE(answers());
}

TEST_F(ControlSocketTest, file_that_is_no_socket_is_left_alone) {
  path_ = scratch_.write("precious", "text");
  expect_removed_ = false;
  EXPECT_FALSE(ControlSocket::open(io_, path_, {}).has_value());
  EXPECT_EQ(scratch_.read("precious"), "text");
}

TEST_F(ControlSocketTest, path_too_long_for_a_socket_is_refused) {
  const auto opened = ControlSocket::open(io_, scratch_ / std::string(200, 'x'), {});
  ASSERT_FALSE(opened.has_value());
  EXPECT_NE(opened.error().text.find("longer than 107 bytes"), std::string::npos);
}

}  // namespace
}  // namespace castgate
