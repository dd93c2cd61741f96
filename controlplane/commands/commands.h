// SPDX-License-Identifier: Apache-2.0
// The subcommands of `castgate`: options in, exit code out. Each prints its own errors on stderr.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace castgate {

inline constexpr int kExitOk = 0;
inline constexpr int kExitDiffers = 1;  // replay: not the expected output; doctor: a lack
inline constexpr int kExitBadInput = 2;

struct CaptureOptions {
  std::vector<std::string> stages;
  std::string stream;  // empty: all
  std::string port;    // empty: all
  std::uint64_t count = 0;
  double seconds = 0;
  unsigned snaplen = 0;
  bool clear = false;
  std::string out;  // "-": standard output
  std::string socket;
};

struct CheckOptions {
  std::string file;
  std::string keys;  // where key files are; empty: beside `file`
  bool offline = false;
  bool json = false;
};

struct DoctorOptions {
  std::string file;  // empty: the host alone
  bool json = false;
};

struct LegOptions {
  std::string stream;
  std::string leg;
  std::string action;  // one of kLegActionNames
  std::string socket;
  bool json = false;
};

struct ClientOptions {
  std::string stream;  // or stream.output
  std::string client;  // ADDRESS:PORT
  std::string socket;
  bool leaves = false;
  bool json = false;
};

struct ReplayOptions {
  std::string file;
  std::vector<std::string> in;  // PORT=CAPTURE, as the two below
  std::vector<std::string> out;
  std::vector<std::string> expect;
  std::vector<std::string> at;  // "TIME leg STREAM LEG ACTION"
  std::string keys;             // where key files are looked for; empty: beside the pipeline
  std::string clients;          // who joins and leaves when; empty: nobody
  std::string capture_stages;   // pcapng of every stage; empty: none
  std::string events;           // empty: not written
  bool expect_times = false;
  bool json = false;
};

struct RunOptions {
  std::string file;
  std::string socket;  // empty: the file's
};

struct ShowOptions {
  std::string what;  // as cli.cc names them; empty for all
  std::string socket;
  bool json = false;
  bool all = false;  // alarms: the cleared ones too
  unsigned top = 0;  // clients: so many; 0: all
  std::string by;    // clients: those with the most of it first; empty: by their names
};

struct TopOptions {
  std::string view = "streams";  // or clients
  std::string by = "rate";       // of the clients: rate, drops, packets
  std::string socket;
};

struct TraceOptions {
  std::string file;
  std::vector<std::string> in;  // PORT=CAPTURE
  std::uint64_t packet = 0;     // from 1
  std::string port;             // empty: that of the first `in`
  std::string keys;             // where key files are; empty: beside `file`
  bool json = false;
};

int capture_command(const CaptureOptions& options);
int check_command(const CheckOptions& options);
int doctor_command(const DoctorOptions& options);
int keys_command(bool json);
int leg_command(const LegOptions& options);
int client_command(const ClientOptions& options);
int replay_command(const ReplayOptions& options);
int run_command(const RunOptions& options);
int show_command(const ShowOptions& options);
int top_command(const TopOptions& options);
int trace_command(const TraceOptions& options);

// Says `castgate: …` on stderr and returns kExitBadInput.
int complain(const std::string& text);

}  // namespace castgate
