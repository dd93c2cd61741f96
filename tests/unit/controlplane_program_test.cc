// SPDX-License-Identifier: Apache-2.0
// The program as its user meets it: arguments, exit codes, messages. Its data plane is the test's
// (tests/support/fake_runtime.cc): every output gets the frames of the first input.
#include <nlohmann/json.hpp>

#include <gtest/gtest.h>

#include "tests/support/capture_bytes.h"
#include "tests/support/program.h"

namespace castgate {
namespace {

constexpr const char* kPipeline = R"(
schema: 1
appliance: {worker_cores: [0], control_core: 0}
ports:
  red: {device: net_null0}
  blue: {device: net_null1}
  out: {device: net_null2}
streams:
  news1:
    legs:
      A: {port: red, to: 239.1.0.1:5000}
      B: {port: blue, to: 239.2.0.1:5002}
    sequence: rtp
    outputs:
      main: {port: out, to: 239.9.0.1:5000, source: 10.0.0.9}
)";

std::string capture(const std::vector<std::string>& frames) {
  std::string bytes = test::pcap_header(0xa1b23c4d);
  for (std::size_t i = 0; i < frames.size(); ++i)
    bytes += test::pcap_frame(1, static_cast<std::uint32_t>(i), frames[i], frames[i].size());
  return bytes;
}

class ProgramTest : public testing::Test {
 protected:
  test::Outcome castgate(const std::string& arguments) const {
    return test::run("\"$CASTGATE\" " + arguments);
  }
  test::Outcome replay(const std::string& arguments) const {
    return castgate("replay " + file_ + " " + arguments);
  }

  static std::string frame(char fill) { return std::string(60, fill); }

  test::Scratch scratch_;
  std::string file_ = scratch_.write("pipeline.yaml", kPipeline);
  std::string two_ = scratch_.write("two.pcap", capture({frame('a'), frame('b')}));
  std::string other_ = scratch_.write("other.pcap", capture({frame('a'), frame('c')}));
  std::string empty_ = scratch_.write("empty.pcap", capture({}));
};

#define EXPECT_SAYS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

TEST_F(ProgramTest, version_is_said) {
  const auto said = castgate("--version");
  EXPECT_EQ(said.exit_code, 0);
  EXPECT_SAYS(said.out, "castgate 0.1.0");
}

TEST_F(ProgramTest, unknown_subcommand_is_bad_input_on_one_line) {
  const auto said = castgate("reply");
  EXPECT_EQ(said.exit_code, 2);
  EXPECT_EQ(std::count(said.err.begin(), said.err.end(), '\n'), 1) << said.err;
}

TEST_F(ProgramTest, check_tells_the_same_as_json) {
  const auto good = castgate("check --offline --json " + file_);
  EXPECT_EQ(good.exit_code, 0);
  const auto told = nlohmann::json::parse(good.out);
  EXPECT_EQ(told["ok"], true);
  EXPECT_TRUE(told["errors"].empty());
  const std::string wrong = scratch_.write("wrong.yaml", std::string(kPipeline) + "nonsense: 1\n");
  const auto bad = castgate("check --offline --json " + wrong);
  EXPECT_EQ(bad.exit_code, 2);
  EXPECT_EQ(bad.err, "");
  const auto error = nlohmann::json::parse(bad.out)["errors"][0];
  EXPECT_EQ(error["line"], 16);
  EXPECT_EQ(error["column"], 1);
  EXPECT_EQ(error["key"], "nonsense");
  EXPECT_SAYS(error["text"].get<std::string>(), "unknown key");
}

TEST_F(ProgramTest, check_reads_the_files_that_doors_name) {
  const std::string doors = scratch_.write(
      "doors.yaml", std::string(kPipeline) +
                        "      h: {port: out, unicast: {}}\n"
                        "doors: {rest: {listen: \"127.0.0.1:1\", tokens: /none/at/all}}\n");
  const auto said = castgate("check " + doors);
  EXPECT_EQ(said.exit_code, 2);
  EXPECT_SAYS(said.err, "doors.yaml:17:");
  EXPECT_SAYS(said.err, "doors.rest.tokens: /none/at/all: No such file");
  EXPECT_EQ(castgate("check --offline " + doors).exit_code, 0);
}

TEST_F(ProgramTest, keys_lie_where_they_are_said_to) {
  const std::string sealed = scratch_.write(
      "sealed.yaml",
      std::string(kPipeline) +
          "      s: {port: out, to: 239.9.0.2:5000, source: 10.0.0.9, protect: "
          "{profile: esp_tunnel, spi: 0x1000, inner: {source: 10.0.0.9}, key_file: a.key}}\n");
  EXPECT_EQ(castgate("check --offline " + sealed).exit_code, 2);
  const std::string place = scratch_ / "elsewhere";
  ASSERT_EQ(test::run("umask 077; mkdir " + place + " && openssl rand -hex 20 >" + place + "/a.key")
                .exit_code,
            0);
  const auto said = castgate("check --offline --keys " + place + " " + sealed);
  EXPECT_EQ(said.exit_code, 0) << said.err;
}

TEST_F(ProgramTest, check_says_what_is_in_a_good_file) {
  const auto said = castgate("check --offline " + file_);
  EXPECT_EQ(said.exit_code, 0) << said.err;
  EXPECT_EQ(said.out, file_ + ": ok, 3 ports, 1 stream\n");
}

TEST_F(ProgramTest, check_says_how_many_payloads_are_remembered) {
  std::string text = kPipeline;
  text.replace(text.find("sequence: rtp"), 13, "sequence: fingerprint");
  const std::string file = scratch_.write("unnumbered.yaml", text);
  const auto said = castgate("check --offline " + file);
  EXPECT_EQ(said.exit_code, 0) << said.err;
  EXPECT_SAYS(said.out, "remembers 4096 payloads for 20ms, 272KiB\n");
}

TEST_F(ProgramTest, check_names_every_mistake_with_its_place) {
  const std::string broken = scratch_.write("broken.yaml", "schema: 1\nporst: {}\nstreams: 7\n");
  const auto said = castgate("check --offline " + broken);
  EXPECT_EQ(said.exit_code, 2);
  EXPECT_SAYS(said.err, broken + ":2:1: ");
  EXPECT_SAYS(said.err, broken + ":3:10: ");
}

TEST_F(ProgramTest, check_refuses_a_core_that_this_host_lacks) {
  std::string text = kPipeline;
  text.replace(text.find("[0]"), 3, "[63]");
  const std::string file = scratch_.write("cores.yaml", text);
  const auto said = castgate("check " + file);
  EXPECT_EQ(said.exit_code, 2);
  EXPECT_SAYS(said.err, file + ":3:");
  EXPECT_SAYS(said.err, "core 63 is not online here");
  EXPECT_EQ(castgate("check --offline " + file).exit_code, 0);
}

TEST_F(ProgramTest, keys_are_printed_as_text_and_as_json) {
  const auto text = castgate("keys");
  EXPECT_EQ(text.exit_code, 0);
  EXPECT_SAYS(text.out, "max_skew");
  EXPECT_FALSE(nlohmann::json::parse(castgate("keys --json").out, nullptr, false).is_discarded());
}

TEST_F(ProgramTest, replay_prints_tables_and_the_headline_last) {
  const auto said = replay("--in red=" + two_ + " --out out=" + (scratch_ / "out.pcap"));
  EXPECT_EQ(said.exit_code, 0) << said.err;
  EXPECT_SAYS(said.out, "2 packets in, 2 out");
  EXPECT_TRUE(said.out.ends_with("protection: none\n")) << said.out;
}

TEST_F(ProgramTest, replay_finds_the_expected_output) {
  const auto said = replay("--in red=" + two_ + " --expect out=" + two_);
  EXPECT_EQ(said.exit_code, 0) << said.err;
  EXPECT_SAYS(said.out, "out: equals " + two_);
}

TEST_F(ProgramTest, replay_shows_the_first_difference_and_exits_1) {
  const auto said = replay("--in red=" + two_ + " --expect out=" + other_);
  EXPECT_EQ(said.exit_code, 1) << said.err;
  EXPECT_SAYS(said.out, "out: differs from " + other_);
  const auto json =
      nlohmann::json::parse(replay("--json --in red=" + two_ + " --expect out=" + other_).out);
  EXPECT_EQ(json["result"]["expected"]["out"]["frame"], 2);
}

TEST_F(ProgramTest, replay_as_json_is_one_document) {
  const auto said = replay("--json --in red=" + two_ + " --expect out=" + two_);
  const auto json = nlohmann::json::parse(said.out, nullptr, false);
  ASSERT_TRUE(json.is_object()) << said.out;
  EXPECT_EQ(json["result"]["packets_in"], 2);
  EXPECT_EQ(json["result"]["expected"]["out"], "equal");
  EXPECT_EQ(json["streams"][0]["name"], "news1");
  EXPECT_EQ(json["ledger"]["balances"], true);
}

TEST_F(ProgramTest, replay_of_no_packets_is_an_error) {
  const auto said = replay("--in red=" + empty_);
  EXPECT_EQ(said.exit_code, 2);
  EXPECT_SAYS(said.err, "no packet was read");
}

TEST_F(ProgramTest, replay_names_the_ports_it_knows) {
  const auto said = replay("--in green=" + two_);
  EXPECT_EQ(said.exit_code, 2);
  EXPECT_SAYS(said.err, "no port 'green'; the file has: red, blue, out");
}

TEST_F(ProgramTest, one_capture_may_feed_several_ports) {
  EXPECT_EQ(replay("--in red=" + two_ + " --in blue=" + two_).exit_code, 0);
  EXPECT_EQ(replay("--in red=" + two_ + " blue=" + two_).exit_code, 0);
}

TEST_F(ProgramTest, replay_does_not_write_over_what_it_reads) {
  const auto said = replay("--in red=" + two_ + " --out out=" + two_);
  EXPECT_EQ(said.exit_code, 2);
  EXPECT_SAYS(said.err, "this capture is read too");
  EXPECT_EQ(scratch_.read("two.pcap"), capture({frame('a'), frame('b')}));
}

TEST_F(ProgramTest, missing_capture_is_bad_input) {
  EXPECT_EQ(replay("--in red=" + (scratch_ / "none.pcap")).exit_code, 2);
}

TEST_F(ProgramTest, port_without_a_capture_is_bad_input) {
  EXPECT_SAYS(replay("--in red").err, "expected PORT=CAPTURE");
}

TEST_F(ProgramTest, show_without_a_server_says_how_to_start_one) {
  const std::string socket = scratch_ / "none.sock";
  const auto said = castgate("show --socket " + socket);
  EXPECT_EQ(said.exit_code, 2);
  EXPECT_SAYS(said.err, "no castgate answers on " + socket);
  EXPECT_SAYS(said.err, "castgate run FILE");
}

TEST_F(ProgramTest, run_serves_until_sigterm_and_prints_the_final_counters) {
  const std::string socket = scratch_ / "run.sock";
  const auto said = test::run("export CASTGATE_SOCKET=" + socket + "; \"$CASTGATE\" run " + file_ +
                              " & pid=$!; for i in $(seq 100); do [ -S " + socket +
                              " ] && break; sleep 0.05; done; "
                              "\"$CASTGATE\" show streams; \"$CASTGATE\" top; \"$CASTGATE\" run " +
                              file_ + "; echo second $?; kill $pid; wait $pid; echo first $?");
  EXPECT_EQ(said.exit_code, 0);
  EXPECT_SAYS(said.out, "news1           0          0            0            0      -      0/2\n");
  EXPECT_SAYS(said.out, "in pps");
  EXPECT_SAYS(said.out, "second 2\n");
  EXPECT_SAYS(said.err, "a castgate runs there already");
  EXPECT_SAYS(said.out, "held 0: balances\nfirst 0\n");
}

TEST_F(ProgramTest, show_alarms_tells_what_stands_and_where_to_look) {
  const std::string socket = scratch_ / "alarms.sock";
  // The links of the test's own data plane are down.
  const auto said = test::run("export CASTGATE_SOCKET=" + socket + "; \"$CASTGATE\" run " + file_ +
                              " & pid=$!; for i in $(seq 200); do \"$CASTGATE\" show alarms "
                              "2>/dev/null | grep -q link_down && break; sleep 0.05; done; "
                              "\"$CASTGATE\" show alarms; \"$CASTGATE\" show alarms --all; "
                              "\"$CASTGATE\" show alarms --json; echo; "
                              "\"$CASTGATE\" show ports --all; echo all $?; kill $pid; wait $pid");
  EXPECT_EQ(said.exit_code, 0);
  EXPECT_SAYS(said.out, "\nmajor     link_down  red    20");
  EXPECT_SAYS(said.out, "port red: no link; look at the cable");
  EXPECT_SAYS(said.out, "raised                cleared  times  text\n");
  EXPECT_SAYS(said.out, "\"id\": \"link_down/red\"");
  EXPECT_EQ(said.out.find("\"cleared\": ["), std::string::npos) << said.out;
  EXPECT_SAYS(said.err, "alarm link_down raised: port red: no link");
  EXPECT_SAYS(said.err, "--all is for alarms");
  EXPECT_SAYS(said.out, "all 2\n");
}

TEST_F(ProgramTest, service_unit_is_understood_by_systemd) {
  if (std::system("systemd-analyze --version >/dev/null 2>&1") != 0)
    GTEST_SKIP() << "systemd-analyze is not installed";
  std::ostringstream unit;
  unit << std::ifstream(CG_SOURCE_ROOT "/deploy/systemd/castgate.service").rdbuf();
  std::string text = unit.str();
  ASSERT_NE(text.find("/usr/bin/castgate"), std::string::npos);
  text.replace(text.find("/usr/bin/castgate"), 17, "/bin/true");  // verify wants it to exist
  const auto said = test::run("systemd-analyze verify " + scratch_.write("castgate.service", text));
  EXPECT_EQ(said.exit_code, 0) << said.err;
  EXPECT_EQ(said.err.find("castgate.service"), std::string::npos) << said.err;
}

}  // namespace
}  // namespace castgate
