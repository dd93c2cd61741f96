// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <csignal>
#include <fmt/format.h>

#include "controlplane/commands/byte_file.h"
#include "controlplane/commands/commands.h"
#include "controlplane/conductor/control_client.h"
#include "controlplane/report/tell.h"

namespace castgate {
namespace {

volatile std::sig_atomic_t interrupted = 0;
extern "C" void note_end(int) {
  interrupted = 1;
}

nlohmann::json request_of(const CaptureOptions& options) {
  nlohmann::json capture{{"stages", options.stages}};
  if (!options.stream.empty()) capture["stream"] = options.stream;
  if (!options.port.empty()) capture["port"] = options.port;
  if (options.count != 0) capture["count"] = options.count;
  if (options.snaplen != 0) capture["snaplen"] = options.snaplen;
  if (options.clear) capture["clear"] = true;
  if (options.seconds > 0) {
    capture["milliseconds"] = static_cast<std::uint64_t>(std::ceil(options.seconds * 1000));
  }
  return {{"capture", capture}};
}

// Seen when the next bytes come, which is within a second.
void end_on_signal() {
  struct sigaction action{};
  action.sa_handler = note_end;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

}  // namespace

// What it writes is a whole file at any time: castgate sends whole blocks.
int capture_command(const CaptureOptions& options) {
  ByteFile file;
  bool opened = false;
  end_on_signal();
  std::string trouble;
  const auto keep = [&](std::span<const std::byte> bytes) {
    if (!opened) {
      const auto ok = file.open(options.out);
      if (!ok) trouble = ok.error().text;
      opened = ok.has_value();
    }
    return opened && file.write(bytes) && file.flush() && interrupted == 0;
  };
  const auto reply =
      stream_castgate(control_socket_path(options.socket), request_of(options), keep);
  if (!trouble.empty()) return complain(trouble);
  if (opened) {
    if (auto closed = file.close(); !closed) return complain(closed.error().text);
  }
  if (!reply) return complain(reply.error().text);
  if (reply->is_null()) return kExitOk;
  tell("{} packets\n", reply->value("packets", std::uint64_t{0}));
  const auto missed = reply->value("missed", std::uint64_t{0});
  if (missed == 0) return kExitOk;
  tell(
      "castgate: {} more found no room: name fewer stages, one --stream or --port, or a "
      "--snaplen\n",
      missed);
  return kExitOk;
}

}  // namespace castgate
