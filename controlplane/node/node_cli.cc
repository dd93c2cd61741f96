// SPDX-License-Identifier: Apache-2.0
#include "controlplane/node/node_cli.h"

#include <CLI/CLI.hpp>
#include <charconv>
#include <exception>
#include <fmt/format.h>
#include <string>
#include <string_view>
#include <utility>

#include "controlplane/node/receive.h"
#include "controlplane/report/tell.h"

namespace castgate {
namespace {

constexpr const char* kFooter = R"(
Several relays are joined at once and merged by the stream's numbers: while one of them brings a
packet, it is not lost. The first sends to the port of --listen, the next to the one after it.

Exit code: 0 what was asked for came, or a signal ended it after the stream had begun; 2 the command
line or a file is wrong; 3 no relay could be joined or nothing came; 4 the output failed.

Examples:
  castgate-node receive rest://10.0.0.1/news1 --to udp://127.0.0.1:5000
  castgate-node receive rests://a.example/news1 rests://b.example/news1 --to - | ffplay -
  castgate-node receive rest://10.0.0.1/news1 --to file:news1.ts --seconds 60
  castgate-node receive rest://10.0.0.1/news1 --open profile=srtp_gcm,key_file=news1.key --to -
)";

constexpr double kPerMillisecond = 1e6;  // nanoseconds

// A number with its unit, in nanoseconds.
Nanoseconds read_span(const std::string& text, double least_ms, double most_ms) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  const double ms = unit == "ms"  ? value
                    : unit == "s" ? value * 1e3
                    : unit == "m" ? value * 6e4
                                  : 0;
  if (error == std::errc{} && ms >= least_ms && ms <= most_ms) {
    return Nanoseconds{static_cast<std::int64_t>(ms * kPerMillisecond)};
  }
  throw CLI::ValidationError(fmt::format("'{}': expected {} to {} with its unit, as 50ms or 2s",
                                         text, fmt::format("{}ms", least_ms),
                                         fmt::format("{}s", most_ms / 1e3)));
}

void add_spans(CLI::App& receive, ReceiveOptions& to) {
  const auto span = [&](const char* name, Nanoseconds& value, std::pair<double, double> range,
                        const char* help) {
    receive
        .add_option(
            name,
            [&value, range](const CLI::results_t& given) {
              value = read_span(given.front(), range.first, range.second);
              return true;
            },
            help)
        ->type_name("TIME");
  };
  span("--max-skew", to.max_skew, {1, 2e3},
       "how long a missing packet is waited for where relays differ; else 50ms");
  span("--patience", to.patience, {100, 1e9}, "give up where no packet came by then; else 30s");
  receive.add_option("--seconds", to.seconds, "end so long after the first packet")
      ->check(CLI::PositiveNumber)
      ->type_name("N");
  receive.add_option("--packets", to.packets, "end after so many packets")
      ->check(CLI::PositiveNumber)
      ->type_name("N");
}

void add_trust(CLI::App& receive, ReceiveOptions& to) {
  receive
      .add_option("--token-file", to.token_file,
                  "bearer token for the relays, one line; sent over TLS or to this host only")
      ->type_name("FILE");
  receive.add_option("--ca", to.ca_file, "authorities for rests://, PEM; else the system's")
      ->type_name("FILE");
  receive.add_flag("--stock", to.stock,
                   "join as a receiver that cannot prove its address: no datagram is waited for");
}

void add_open(CLI::App& receive, ReceiveOptions& to) {
  receive
      .add_option(
          "--open", to.open,
          "open what comes sealed: profile=srtp_gcm|srtp_cm|esp_tunnel,key_file=PATH, of ESP "
          "spi=NUMBER, and where they differ from what is here key_bits=128,replay_window=1024, of "
          "SRTP tag_bits=80,mki_bytes=0,roc=0, of ESP esn=true and inner_to=ADDRESS:PORT; once for "
          "all relays, or for each in their order")
      ->allow_extra_args(false)
      ->type_name("HOW");
}

void add_receive(CLI::App& app, ReceiveOptions& to) {
  CLI::App& receive = *app.add_subcommand(
      "receive", "join a stream at one relay or more and hand it on; a relay may die");
  receive
      .add_option("RELAY", to.relays, "rest://HOST[:8080]/STREAM, or rests://HOST[:8443]/STREAM")
      ->required();
  receive.add_option("--to", to.to, "udp://ADDRESS:PORT, file:PATH or - (standard output)")
      ->type_name("WHERE");
  receive.add_option("--listen", to.listen, "where relays shall send; else any address and port")
      ->type_name("ADDRESS:PORT");
  receive
      .add_option("--payload", to.payload,
                  "whole: packets as they came; media: what RTP carries, as MPEG-TS; else media to "
                  "files and pipes, whole to UDP")
      ->check(CLI::IsMember({"whole", "media"}))
      ->type_name("KIND");
  add_spans(receive, to);
  add_trust(receive, to);
  add_open(receive, to);
  receive.add_option("--receive-buffer", to.buffer, "of each socket; else 16777216")
      ->check(CLI::Range(65536u, 1u << 30))
      ->type_name("BYTES");
  receive.add_flag("--progress", to.progress, "a line a second, also where stderr is no terminal");
  receive.add_flag("--json", to.json, "the lines and the summary as JSON, on stderr");
  receive.footer(kFooter);
}

}  // namespace

int run_node(int argc, const char* const* argv) try {
  CLI::App app("castgate-node: streams of castgate's relays on an ordinary machine");
  app.set_version_flag("--version", "castgate-node " CASTGATE_VERSION);
  app.require_subcommand(1);
  ReceiveOptions receive;
  add_receive(app, receive);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked) {  // --help, --version
    return app.exit(asked);
  } catch (const CLI::ParseError& error) {
    return complain_of_use(
        fmt::format("{}; castgate-node receive --help shows the usage", error.what()));
  }
  return receive_command(receive);
} catch (const std::exception& error) {
  tell("castgate-node: internal error: {}\n", error.what());
  return kExitBadUse;
}

}  // namespace castgate
