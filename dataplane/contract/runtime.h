// SPDX-License-Identifier: Apache-2.0
// The only door between the planes. Declared here without DPDK, implemented in dataplane/.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dataplane/base/error.h"
#include "dataplane/base/instant.h"
#include "dataplane/contract/captured.h"
#include "dataplane/contract/client_key.h"
#include "dataplane/contract/clients.h"
#include "dataplane/contract/commands.h"
#include "dataplane/contract/events.h"
#include "dataplane/contract/reload.h"
#include "dataplane/contract/snapshot.h"
#include "dataplane/contract/spec.h"
#include "dataplane/contract/trace.h"

namespace castgate {

// A frame for the host stack, or from it: whole Ethernet frame, no FCS.
struct HostFrame {
  unsigned port = 0;
  std::vector<std::byte> bytes;
};

// A running data plane. Called by one thread, the control plane's; nothing here blocks a worker.
class Runtime {
 public:
  virtual ~Runtime() = default;

  virtual Snapshot snapshot() = 0;
  // The clock that dates events.
  virtual Instant now() = 0;
  // False when no event waits. Events that found the ring full are counted, not kept.
  virtual bool poll_event(Event& event) = 0;
  virtual std::uint64_t missed_events() = 0;
  virtual bool poll_punted(HostFrame& frame) = 0;
  // False when the port's ring is full; the frame is then dropped and counted.
  virtual bool inject(unsigned port, std::span<const std::byte> frame) = 0;
  // To every worker that it concerns, within a turn of theirs. False when the ring to one of them
  // is full: none has it then.
  virtual bool command(const Command& command) = 0;
  // A client of a unicast output from here on; `key`: its own, where the output is_isolated(), null
  // elsewhere. An error: no place is left, or the worker is busy for the moment.
  virtual Result<ClientPlace> join(const ClientRoute& route, const ClientKey* key) = 0;
  // No packet from here on but what is on its way. False when the worker is busy for the moment.
  virtual bool leave(const ClientPlace& place) = 0;
  // Another way to the client, or none: MAC address and MTU. False likewise.
  virtual bool change(const ClientPlace& place, const ClientRoute& route) = 0;
  virtual ClientCounters client_counters(const ClientPlace& place) const = 0;
  // Which packet to the client of the last two seconds is quoted here; none: such a one never went.
  virtual std::optional<SentPacket> find_sent(const ClientPlace& place,
                                              const QuotedPacket& quote) const = 0;
  // What the newest capture copied; of one worker in its order. False when none waits.
  virtual bool poll_captured(CapturedPacket& packet) = 0;
  // Packets that captures wanted and found no room for, since start.
  virtual std::uint64_t capture_missed() const = 0;
  // Makes what runs into `spec`, which is arranged() and differs in streams alone. Blocks a few
  // milliseconds; no worker waits for it. An error leaves everything as it was.
  virtual Result<ReloadReport> reload(const Spec& spec) = 0;
  // By worker: how long ago its last loop ended. Microseconds while it makes progress.
  virtual void heartbeat_ages(std::vector<Nanoseconds>& ages) = 0;
  // Stops reception, lets held packets go, transmits, and ends the workers. Blocks up to a second.
  virtual void drain() = 0;
};

// Starts devices and workers. An error's text names what the host lacks and how to mend it.
Result<std::unique_ptr<Runtime>> start_runtime(const Spec& spec);

struct ReplayFile {
  unsigned port = 0;  // index into Spec::ports
  std::string path;
};

// A command that arrives so long after the first packet.
struct ReplayCommand {
  Nanoseconds after{0};
  Command command;
};

// A client that is there from one moment after the first packet to another.
struct ReplayClient {
  ClientRoute route;
  Nanoseconds join_at{0};
  Nanoseconds leave_at = Nanoseconds::max();
  SharedClientKey key;  // its own, where the output is_isolated()
};

struct ReplayPlan {
  std::vector<ReplayFile> in;
  std::vector<ReplayFile> out;                          // written as nanosecond pcap
  std::function<void(std::uint64_t packets)> progress;  // now and then, while packets flow
  std::vector<ReplayCommand> commands;                  // in the order of their times
  std::vector<ReplayClient> clients;
  CaptureStart capture;  // what goes to `captured`
  std::function<void(const CapturedPacket&)> captured;
  std::optional<TraceRequest> trace;  // instead of a capture
};

struct ReplayResult {
  Snapshot snapshot;
  std::vector<Event> events;
  std::uint64_t packets_in = 0;
  std::uint64_t packets_out = 0;
  std::uint64_t clamped_timestamps = 0;  // ran backwards in their capture
  Nanoseconds span{0};                   // from the first packet to the last release
  PacketTrace trace;                     // what was asked for
  std::vector<ClientCounters> clients;   // as ReplayPlan::clients
};

// Runs captures through the pipeline in one thread, in the captures' own time: no device, no root.
// Once per process: DPDK's environment cannot be started twice.
Result<ReplayResult> replay(const Spec& spec, const ReplayPlan& plan);

}  // namespace castgate
