// SPDX-License-Identifier: Apache-2.0
// castgate capture against a data plane of the test's own.
#include <csignal>
#include <cstring>
#include <functional>
#include <sys/socket.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>

#include <gtest/gtest.h>

#include "controlplane/capture/capture_request.h"
#include "controlplane/conductor/conductor.h"
#include "controlplane/conductor/control_client.h"
#include "tests/support/fake_runtime.h"
#include "tests/support/program.h"

namespace castgate {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

class CaptureTest : public testing::Test {
 protected:
  CaptureTest() {
    spec_.ports.resize(2);
    spec_.ports[0].name = "red";
    spec_.ports[1].name = "out";
    spec_.streams.emplace_back().name = "news1";
    runtime_.shown = test::blank_snapshot(spec_);
    for (unsigned i = 0; i < 5; ++i) {
      CapturedPacket packet;
      packet.port = 0;
      packet.wire_length = 900;
      packet.at = {1'700'000'000'000'000'000 + i};
      packet.bytes.resize(60, static_cast<std::byte>(i));
      runtime_.captured.push_back(packet);
    }
  }

  void conduct(const std::function<void()>& user) {
    auto conductor = Conductor::open(spec_, socket_);
    ASSERT_TRUE(conductor.has_value());
    std::thread other([&] {
      user();
      ::kill(::getpid(), SIGTERM);
    });
    (*conductor)->run(runtime_, [](const Spec&) { return std::nullopt; });
    other.join();
  }
  test::Outcome capture(const std::string& arguments) const {
    return test::run("\"$CASTGATE\" capture --socket " + socket_ + " " + arguments);
  }
  // A peer that asks and then does what it likes.
  int ask(const json& request) const {
    const int peer = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strcpy(address.sun_path, socket_.c_str());
    EXPECT_EQ(::connect(peer, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    const std::string line = request.dump() + '\n';
    EXPECT_EQ(::send(peer, line.data(), line.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(line.size()));
    char heard = 0;
    EXPECT_EQ(::recv(peer, &heard, 1, MSG_PEEK), 1);
    return peer;
  }
  std::string refusal(const json& object) const {
    const auto request = read_capture_request(object, spec_);
    return request ? "" : request.error().text;
  }
  std::vector<CommandKind> kinds() const {
    std::vector<CommandKind> all;
    all.reserve(runtime_.commands.size());
    for (const Command& command : runtime_.commands) all.push_back(command.kind);
    return all;
  }

  const test::Scratch scratch_;
  std::string socket_ = scratch_ / "control.sock";
  Spec spec_;
  test::FakeRuntime runtime_;
};

const std::vector kStartAndStop{CommandKind::CaptureStart, CommandKind::CaptureStop};

TEST_F(CaptureTest, count_ends_it_and_the_file_has_so_many) {
  test::Outcome said;
  conduct([&] { said = capture("--stage rx,drops --port red --count 3 -o " + (scratch_ / "it")); });
  EXPECT_EQ(said.exit_code, 0) << said.err;
  EXPECT_EQ(said.err, "3 packets\n");
  EXPECT_EQ(kinds(), kStartAndStop);
  EXPECT_EQ(runtime_.commands[0].capture.stages, 1u | 1u << 5);
  EXPECT_EQ(runtime_.commands[0].capture.port, 0u);
  EXPECT_EQ(runtime_.commands[0].capture.stream, CaptureStart::kAny);
  const auto read = test::run("tshark -r " + (scratch_ / "it") +
                              " -T fields -e frame.interface_name -e frame.len -e frame.cap_len");
  EXPECT_EQ(read.out, "rx\t900\t60\nrx\t900\t60\nrx\t900\t60\n") << read.err;
}

TEST_F(CaptureTest, time_ends_it_with_all_that_was_there) {
  test::Outcome said;
  conduct([&] { said = capture("--stage rx --seconds 0.05 -o - | tshark -r - 2>/dev/null"); });
  EXPECT_EQ(std::count(said.out.begin(), said.out.end(), '\n'), 5) << said.out << said.err;
  EXPECT_EQ(kinds(), kStartAndStop);
}

TEST_F(CaptureTest, peer_that_goes_ends_it_and_makes_room_for_the_next) {
  conduct([&] {
    const int peer = ask({{"capture", {{"stages", {"rx"}}}}});
    const auto second = capture("--stage rx --count 1 -o " + (scratch_ / "second"));
    EXPECT_EQ(second.exit_code, 2);
    EXPECT_NE(second.err.find("another capture runs"), std::string::npos) << second.err;
    ::close(peer);
    std::this_thread::sleep_for(50ms);
    EXPECT_EQ(capture("--stage rx --seconds 0.01 -o " + (scratch_ / "third")).exit_code, 0);
  });
  EXPECT_EQ(kinds(), (std::vector{CommandKind::CaptureStart, CommandKind::CaptureStop,
                                  CommandKind::CaptureStart, CommandKind::CaptureStop}));
}

TEST_F(CaptureTest, interrupted_command_leaves_a_whole_file) {
  test::Outcome said;
  conduct([&] {
    said = test::run("timeout -s INT 1 \"$CASTGATE\" capture --stage rx -o " + (scratch_ / "it") +
                     " --socket " + socket_ + "; capinfos -c " + (scratch_ / "it"));
  });
  EXPECT_NE(said.out.find('5'), std::string::npos) << said.out << said.err;
  EXPECT_EQ(said.exit_code, 0) << said.err;
  EXPECT_EQ(kinds(), kStartAndStop);
}

TEST_F(CaptureTest, workers_that_take_no_orders_refuse_it) {
  runtime_.commands_full = true;
  conduct([&] {
    const auto said = capture("--stage rx --count 1 -o " + (scratch_ / "it"));
    EXPECT_EQ(said.exit_code, 2);
    EXPECT_NE(said.err.find("take no orders now"), std::string::npos) << said.err;
  });
  EXPECT_FALSE(std::filesystem::exists(scratch_ / "it"));
}

TEST_F(CaptureTest, what_cannot_be_captured_is_refused_with_the_cure) {
  const json rx = json::array({"rx"});
  EXPECT_EQ(refusal({{"stages", rx}}), "");
  EXPECT_EQ(refusal({{"stages", {"tx"}}}),
            "no stage 'tx'; there are: rx, classify, failover, restamp, transmit, drops");
  EXPECT_EQ(refusal({{"stages", rx}, {"port", "blue"}}),
            "no port 'blue'; this appliance has: red, out");
  EXPECT_EQ(refusal({{"stages", {"failover"}}, {"stream", "news7"}}),
            "no stream 'news7'; this appliance has: news1");
  EXPECT_EQ(refusal({{"stages", rx}, {"stream", "news1"}}),
            "at rx a packet is of no stream yet: use --stage classify, or --port");
  EXPECT_EQ(refusal({{"stages", rx}, {"count", 0}}), "count: expected a number, 1 or more");
  EXPECT_EQ(refusal({{"stages", rx}, {"snaplen", "x"}}), "snaplen: expected a number, 1 or more");
  EXPECT_TRUE(refusal({{"stages", rx}, {"colour", 1}}).starts_with("capture has no 'colour'"));
  for (const json& none : {json::object(), json{{"stages", json::array()}}, json{{"stages", 7}}})
    EXPECT_TRUE(refusal(none).starts_with("which stage?")) << none;
  EXPECT_TRUE(refusal(json::array()).starts_with("expected {\"capture\""));
}

}  // namespace
}  // namespace castgate
