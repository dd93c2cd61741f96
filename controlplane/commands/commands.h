// SPDX-License-Identifier: Apache-2.0
// The subcommands of `castgate`: options in, exit code out. Each prints its own errors on stderr.
#pragma once

#include <string>
#include <vector>

namespace castgate {

inline constexpr int kExitOk = 0;
inline constexpr int kExitDiffers = 1;  // replay: not the expected output; doctor: a lack
inline constexpr int kExitBadInput = 2;

struct CheckOptions {
  std::string file;
  bool offline = false;
};

struct DoctorOptions {
  std::string file;  // empty: the host alone
  bool json = false;
};

struct ReplayOptions {
  std::string file;
  std::vector<std::string> in;  // PORT=CAPTURE, as the two below
  std::vector<std::string> out;
  std::vector<std::string> expect;
  std::string events;  // empty: not written
  bool expect_times = false;
  bool json = false;
};

struct RunOptions {
  std::string file;
  std::string socket;  // empty: the file's
};

struct ShowOptions {
  std::string what;  // streams, legs, skew, ports, workers, alarms; empty for all
  std::string socket;
  bool json = false;
  bool all = false;  // alarms: the cleared ones too
};

int check_command(const CheckOptions& options);
int doctor_command(const DoctorOptions& options);
int keys_command(bool json);
int replay_command(const ReplayOptions& options);
int run_command(const RunOptions& options);
int show_command(const ShowOptions& options);
int top_command(const std::string& socket);

// Says `castgate: …` on stderr and returns kExitBadInput.
int complain(const std::string& text);

}  // namespace castgate
