// SPDX-License-Identifier: Apache-2.0
// castgate-node as its user meets it, against a relay that is none (tests/support/fake_relay.py);
// what it wrote is judged by tests/support/check_media.py.
#include <chrono>
#include <csignal>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sstream>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

#include <gtest/gtest.h>

#include "tests/support/program.h"

namespace castgate {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

const std::string kSupport = std::string(CG_SOURCE_ROOT) + "/tests/support/";

#define EXPECT_SAYS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

test::Outcome node(const std::string& arguments) {
  return test::run("timeout 30 \"$CASTGATE_NODE\" receive " + arguments);
}

// A relay on this host's loopback that ends with its owner.
class FakeRelay {
 public:
  FakeRelay(const test::Scratch& scratch, const std::string& name, const std::string& options)
      : log_(scratch / name) {
    const std::string command = fmt::format(
        "exec python3 {}fake_relay.py --listen 127.0.0.1:0 --source 127.0.0.1:0 --log {} {}",
        kSupport, log_, options);
    process_ = fork();
    if (process_ == 0) {
      execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
      _exit(127);
    }
    for (unsigned i = 0; i < 1000 && events("ready").empty(); ++i) {
      std::this_thread::sleep_for(50ms);  // a busy machine starts Python slowly
    }
    const auto ready = events("ready");
    if (!ready.empty()) port_ = ready[0]["port"].get<unsigned>();
  }
  FakeRelay(const FakeRelay&) = delete;
  FakeRelay& operator=(const FakeRelay&) = delete;
  ~FakeRelay() { end(); }

  void lose(bool on) const { kill(process_, on ? SIGUSR1 : SIGUSR2); }
  void end() {
    if (process_ <= 0) return;
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
    process_ = 0;
  }
  std::string authority() const { return fmt::format("127.0.0.1:{}", port_); }
  std::string url() const { return fmt::format("rest://{}/news1", authority()); }
  std::vector<json> events(const std::string& kind) const {
    std::vector<json> found;
    std::ifstream file(log_);
    for (std::string line; std::getline(file, line);) {
      const json event = json::parse(line, nullptr, false);
      if (event.is_object() && event["event"] == kind) found.push_back(event);
    }
    return found;
  }

 private:
  std::string log_;
  pid_t process_ = 0;
  unsigned port_ = 0;
};

json last_line(const std::string& text) {
  std::istringstream lines(text);
  std::string last;
  for (std::string line; std::getline(lines, line);) last = line;
  return json::parse(last, nullptr, false);
}

class NodeProgram : public testing::Test {
 protected:
  void expect_media(unsigned packets) {
    const auto judged = test::run("python3 " + kSupport + "check_media.py " + out_);
    EXPECT_EQ(judged.exit_code, 0) << judged.err;
    if (packets == 0) return;
    EXPECT_SAYS(judged.out, fmt::format("{} packets from", packets));
  }

  const test::Scratch scratch_;
  std::string out_ = scratch_ / "out.ts";
  std::string to_file_ = " --json --patience 25s --to file:" + out_;
};

TEST_F(NodeProgram, links_no_dpdk) {
  const auto linked = test::run("readelf -d \"$CASTGATE_NODE\"");
  EXPECT_EQ(linked.exit_code, 0);
  EXPECT_SAYS(linked.out, "libssl");
  EXPECT_EQ(linked.out.find("librte"), std::string::npos) << linked.out;
  const auto symbols = test::run("readelf -Ws --demangle \"$CASTGATE_NODE\" | grep -c ' rte_'");
  EXPECT_EQ(symbols.out, "0\n");
}

TEST_F(NodeProgram, says_what_it_is) {
  const auto said = test::run("\"$CASTGATE_NODE\" --version");
  EXPECT_EQ(said.exit_code, 0);
  EXPECT_SAYS(said.out, "castgate-node ");
  const auto help = node("--help");
  for (const char* part : {"--to", "--listen", "Exit code"}) EXPECT_SAYS(help.out, part);
}

TEST_F(NodeProgram, a_wrong_command_line_is_told_with_its_cure) {
  const std::string open_file = scratch_.write("open", "secret\n");
  chmod(open_file.c_str(), 0644);
  const std::string token = scratch_.write("token", "secret\n");
  chmod(token.c_str(), 0600);
  const std::pair<std::string, const char*> cases[] = {
      {"http://127.0.0.1/x", "expected rest://HOST"},
      {"rest://127.0.0.1/x rest://127.0.0.1/x --to -", "named twice"},
      {"rest://127.0.0.1/x --to tcp://127.0.0.1:1", "expected udp://ADDRESS:PORT"},
      {"rest://127.0.0.1/x --to file:/nowhere/at/all", "No such file"},
      {"rest://127.0.0.1/x --listen 239.0.0.1:5000", "of this host"},
      {"rest://127.0.0.1/x --listen 203.0.113.9:5000", "--listen 203.0.113.9:5000"},
      {"rest://127.0.0.1/x --max-skew 50", "with its unit"},
      {"rest://127.0.0.1/x --max-skew 10s", "1ms to 2s"},
      {"rest://127.0.0.1/x --payload both", "whole"},
      {"rest://10.0.0.1/x --token-file " + token, "use rests://10.0.0.1"},
      {"rest://127.0.0.1/x --token-file " + open_file, "chmod 600"},
      {"rests://127.0.0.1/x --ca " + token, "PEM"},
      {"--open profile=srtp_gcm,key_file=" + token + " rest://127.0.0.1/x", "salt of 28 bytes"},
  };
  for (const auto& [arguments, part] : cases) {
    const auto said = node(arguments + " >/dev/null");
    EXPECT_EQ(said.exit_code, 2) << arguments;
    EXPECT_SAYS(said.err, part);
    EXPECT_EQ(said.err.find("secret"), std::string::npos) << "what is in a file: " << said.err;
  }
}

TEST_F(NodeProgram, joins_proves_receives_and_leaves) {
  const FakeRelay relay(scratch_, "a", "--rate 2000");
  const auto said = node(relay.url() + to_file_ + " --packets 500");
  EXPECT_EQ(said.exit_code, 0) << said.err;
  expect_media(500);
  const json sums = last_line(said.err);
  EXPECT_EQ(sums["packets"], 500);
  EXPECT_EQ(sums["bytes"], 500 * 1316);
  EXPECT_EQ(sums["lost"], 0);
  EXPECT_EQ(relay.events("joined").size(), 1);
  EXPECT_EQ(relay.events("proof").size(), 1);
  EXPECT_EQ(relay.events("PUT").size(), 1);
  EXPECT_EQ(relay.events("left").size(), 1);
}

TEST_F(NodeProgram, two_relays_make_one_stream_though_both_lose) {
  const std::string begin = fmt::format(" --begin {} --rate 1000",
                                        std::chrono::duration_cast<std::chrono::seconds>(
                                            std::chrono::system_clock::now().time_since_epoch())
                                            .count());
  FakeRelay dies(scratch_, "a", begin);
  const FakeRelay stays(scratch_, "b", begin + " --lose 0.1 --delay 0.005");
  std::thread killer([&] {
    const auto proved = [](const FakeRelay& relay) { return !relay.events("PUT").empty(); };
    for (unsigned i = 0; i < 500 && !(proved(dies) && proved(stays)); ++i) {
      std::this_thread::sleep_for(50ms);
    }
    std::this_thread::sleep_for(500ms);
    stays.lose(true);
    std::this_thread::sleep_for(1s);
    stays.lose(false);
    std::this_thread::sleep_for(500ms);
    dies.end();
  });
  const auto said = node(dies.url() + " " + stays.url() + to_file_ + " --max-skew 2s --seconds 4");
  killer.join();
  EXPECT_EQ(said.exit_code, 0) << said.err;
  expect_media(0);
  const json sums = last_line(said.err);
  EXPECT_EQ(sums["lost"], 0) << said.err;
  EXPECT_GT(sums["packets"], 3500);
  EXPECT_GT(sums["relays"][1]["lost"], 30) << "the second lost nothing: no test";
}

TEST_F(NodeProgram, forged_and_lost_proofs_only_cost_time) {
  const FakeRelay relay(scratch_, "a", "--forge --lose-proofs 1");
  const auto said = node(relay.url() + to_file_ + " --packets 100");
  EXPECT_EQ(said.exit_code, 0) << said.err;
  expect_media(100);
  EXPECT_EQ(last_line(said.err)["relays"][0]["foreign"], 1) << "the stranger's packet";
  std::vector<json> puts = relay.events("PUT");
  ASSERT_EQ(puts.size(), 2);  // what the stranger guessed from his own address was not sent on
  EXPECT_SAYS(puts[0]["body"].get<std::string>(), std::string(32, 'f'));
}

TEST_F(NodeProgram, a_stock_receiver_waits_for_no_proof) {
  const FakeRelay relay(scratch_, "a", "");
  const auto said = node(relay.url() + to_file_ + " --packets 100 --stock");
  EXPECT_EQ(said.exit_code, 0) << said.err;
  expect_media(100);
  EXPECT_TRUE(relay.events("proof").empty());
}

TEST_F(NodeProgram, renews_at_a_third_of_a_short_lease) {
  const FakeRelay relay(scratch_, "a", "--lease 2");
  const auto said = node(relay.url() + to_file_ + " --seconds 4");
  EXPECT_EQ(said.exit_code, 0) << said.err;
  expect_media(0);
  EXPECT_GE(relay.events("PUT").size(), 4);
  EXPECT_TRUE(relay.events("expired").empty());
}

TEST_F(NodeProgram, follows_a_redirect_with_its_token) {
  const std::string token = scratch_.write("token", "s3cret\n");
  chmod(token.c_str(), 0600);
  const FakeRelay serves(scratch_, "b", "--token s3cret");
  const FakeRelay sends_on(scratch_, "a", "--redirect http://" + serves.authority());
  const auto said = node(sends_on.url() + to_file_ + " --packets 100 --token-file " + token);
  EXPECT_EQ(said.exit_code, 0) << said.err;
  expect_media(100);
  EXPECT_EQ(serves.events("left").size(), 1);
}

TEST_F(NodeProgram, refusals_end_it_at_once_with_the_relays_words) {
  const FakeRelay relay(scratch_, "a", "--token s3cret");
  const auto begun = std::chrono::steady_clock::now();
  const auto said = node(relay.url() + " --to file:" + out_);
  EXPECT_EQ(said.exit_code, 3);
  EXPECT_SAYS(said.err, "the token is missing or wrong (401)");
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 5s);
  const auto alone = node("rest://127.0.0.1:1/news1 --patience 1s --to file:" + out_);
  EXPECT_EQ(alone.exit_code, 3);
  EXPECT_SAYS(alone.err, "no relay could be joined");
  EXPECT_SAYS(alone.err, "Connection refused");
}

TEST_F(NodeProgram, tls_is_verified) {
  const std::string pem = scratch_ / "relay.pem";
  const auto made = test::run(
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
      "-subj /CN=relay -addext subjectAltName=IP:127.0.0.1 -keyout " +
      pem + " -out " + pem + ".crt && cat " + pem + ".crt >>" + pem);
  ASSERT_EQ(made.exit_code, 0) << made.err;
  const FakeRelay relay(scratch_, "a", "--certificate " + pem);
  const std::string url = "rests://" + relay.authority() + "/news1";
  const auto unknown = node(url + " --patience 1s --to file:" + out_);
  EXPECT_EQ(unknown.exit_code, 3);
  EXPECT_SAYS(unknown.err, "certificate is not good");
  EXPECT_TRUE(relay.events("POST").empty());
  const auto said = node(url + to_file_ + " --packets 100 --ca " + pem + ".crt");
  EXPECT_EQ(said.exit_code, 0) << said.err;
  expect_media(100);
  const std::string other = "rests://localhost" + relay.authority().substr(9) + "/news1";
  const auto misnamed = node(other + " --patience 1s --ca " + pem + ".crt --to file:" + out_);
  EXPECT_EQ(misnamed.exit_code, 3) << "the certificate is for another name";
}

TEST_F(NodeProgram, hands_on_to_a_pipe_and_ends_with_its_reader) {
  const FakeRelay relay(scratch_, "a", "--rate 5000");
  const auto said = test::run("timeout 20 \"$CASTGATE_NODE\" receive " + relay.url() +
                              " --packets 300 | cat >" + out_);
  EXPECT_EQ(said.exit_code, 0) << said.err;
  expect_media(300);
  const auto cut = test::run("{ timeout 20 \"$CASTGATE_NODE\" receive " + relay.url() +
                             "; echo $? >&2; } | head -c 100000 >/dev/null");
  EXPECT_SAYS(cut.err, "its reader has gone");
  EXPECT_TRUE(cut.err.ends_with("\n4\n")) << cut.err;
}

TEST_F(NodeProgram, hands_on_whole_packets_to_udp) {
  const FakeRelay relay(scratch_, "a", "--rate 2000 --first 100");
  const std::string command = fmt::format(
      "socat -u UDP-RECV:0,bind=127.0.0.1,rcvbuf=4000000 CREATE:{0} 2>/dev/null & socat=$!; "
      "sleep 0.5; port=$(ss -Hulnp | grep \"pid=$socat,\" | grep -o '127.0.0.1:[0-9]*'); "
      "timeout 20 \"$CASTGATE_NODE\" receive {1} --packets 200 --to udp://$port; result=$?; "
      "sleep 0.3; kill $socat; exit $result",
      out_, relay.url());
  const auto said = test::run("command -v socat ss >/dev/null || exit 77; " + command);
  if (said.exit_code == 77) GTEST_SKIP() << "socat or ss is not installed";
  EXPECT_EQ(said.exit_code, 0) << said.err;
  const std::string bytes = scratch_.read("out.ts");
  ASSERT_EQ(bytes.size(), 200 * 1328);
  for (std::size_t i = 0; i < 200; ++i) EXPECT_EQ(bytes.substr(i * 1328, 2), "\x80\x21") << i;
}

TEST_F(NodeProgram, a_signal_ends_it_with_a_farewell) {
  const FakeRelay relay(scratch_, "a", "");
  const auto said = test::run("\"$CASTGATE_NODE\" receive " + relay.url() + to_file_ +
                              " & sleep 2; kill -TERM $!; wait $!");
  EXPECT_EQ(said.exit_code, 0) << said.err;
  expect_media(0);
  EXPECT_EQ(relay.events("left").size(), 1);
}

}  // namespace
}  // namespace castgate
