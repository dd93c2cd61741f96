// SPDX-License-Identifier: Apache-2.0
// castgate-node and SIGHUP: it goes on, unless its terminal was closed. No relay is needed.
#include <sys/stat.h>

#include <gtest/gtest.h>

#include "tests/support/program.h"

namespace castgate {
namespace {

#define EXPECT_SAYS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

// Its outcome, where the signal came after it had found nobody at its relay.
test::Outcome hung_up(const test::Scratch& scratch, const std::string& options,
                      const std::string& before = ":") {
  const std::string log = scratch / "log";
  return test::run(
      "timeout --foreground 30 \"$CASTGATE_NODE\" receive rest://127.0.0.1:1/news1 --patience 2s "
      "--progress " +
      options + " --to udp://127.0.0.1:9 2>" + log +
      " & node=$!; for n in $(seq 100); do grep -q . " + log + " && break; sleep 0.05; done; " +
      before + "; pkill -HUP --parent $node; wait $node; result=$?; cat " + log + "; exit $result");
}

TEST(NodeHangupTest, without_keys_it_goes_on) {
  const test::Scratch scratch;
  const auto said = hung_up(scratch, "");
  EXPECT_EQ(said.exit_code, 3) << said.out;
  EXPECT_SAYS(said.out, "SIGHUP: there are no keys to read again");
}

TEST(NodeHangupTest, a_key_file_that_got_wrong_is_told_and_changes_nothing) {
  const test::Scratch scratch;
  const std::string keys = scratch.write("keys", std::string(56, 'a') + "\n");
  chmod(keys.c_str(), 0600);
  const std::string open = "--open profile=srtp_gcm,key_file=" + keys;
  const auto good = hung_up(scratch, open);
  EXPECT_EQ(good.exit_code, 3) << good.out;
  EXPECT_SAYS(good.out, "SIGHUP: the keys were read again");
  const auto bad = hung_up(scratch, open + " --json", "echo aa >" + keys);
  EXPECT_EQ(bad.exit_code, 3) << bad.out;
  EXPECT_SAYS(bad.out, "SIGHUP: --open: " + keys);
}

TEST(NodeHangupTest, a_terminal_that_is_closed_ends_it) {
  const test::Scratch scratch;
  const std::string script = scratch.write("script", R"(
import os, pty, sys, time

node, terminal = pty.fork()
if node == 0:
    os.execv(sys.argv[1], [sys.argv[1], "receive", "rest://127.0.0.1:1/news1", "--patience", "60s",
                           "--to", "udp://127.0.0.1:9"])
os.read(terminal, 1)
os.close(terminal)
for _ in range(200):
    done, status = os.waitpid(node, os.WNOHANG)
    if done:
        sys.exit(os.waitstatus_to_exitcode(status) % 256)
    time.sleep(0.05)
os.kill(node, 9)
os.waitpid(node, 0)
sys.exit(99)
)");
  const auto ended = test::run("python3 " + script + " \"$CASTGATE_NODE\"");
  EXPECT_EQ(ended.exit_code, 3) << ended.err;  // nothing had come
}

}  // namespace
}  // namespace castgate
