// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdlib>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "dataplane/contract/runtime.h"
#include "dataplane/placement.h"
#include "dataplane/reload.h"
#include "dataplane/replicate/client_roster.h"
#include "dataplane/worker.h"
#include "drivers/packet_pool.h"

namespace castgate {

// Devices, pools, rings and workers of a running appliance; the body of contract/runtime.h.
class LiveRuntime final : public Runtime {
 public:
  static Result<std::unique_ptr<Runtime>> start(const Spec& spec);
  ~LiveRuntime() override;

  Snapshot snapshot() override;
  Instant now() override { return clock_->now(); }
  bool poll_event(Event& event) override;
  std::uint64_t missed_events() override;
  bool poll_punted(HostFrame& frame) override;
  bool inject(unsigned port, std::span<const std::byte> frame) override;
  bool command(const Command& command) override;
  Result<ClientPlace> join(const ClientRoute& route, const ClientKey* key) override;
  bool leave(const ClientPlace& place) override;
  bool change(const ClientPlace& place, const ClientRoute& route) override;
  ClientCounters client_counters(const ClientPlace& place) const override;
  std::optional<SentPacket> find_sent(const ClientPlace& place,
                                      const QuotedPacket& quote) const override;
  bool poll_captured(CapturedPacket& packet) override;
  std::uint64_t capture_missed() const override;
  Result<ReloadReport> reload(const Spec& spec) override;
  void heartbeat_ages(std::vector<Nanoseconds>& ages) override;
  void drain() override;

 private:
  explicit LiveRuntime(const Spec& spec);

  struct SnapshotRequest {
    Snapshot made;
    SnapshotJob job;
  };

  Result<void> may_reload(const Spec& spec) const;
  Result<void> hear_groups(const Spec& spec, bool and_old);
  Result<void> make_pools();
  Result<void> open_ports();
  Result<void> make_rings();
  void make_workers();
  void launch();
  bool takes_commands(Worker& worker) const;
  Worker& worker_of(const ClientPlace& place) { return worker_of(place.stream, place.part); }
  Worker& worker_of(std::uint16_t stream, unsigned part) {
    return *running_[placement_.worker_of_part(stream, part)];
  }
  std::uint16_t prepare_capture();
  Result<void> open_crypto();
  Result<PacketRing*> ring(const std::string& name, unsigned slots);
  WorkerParts parts_of(unsigned worker);
  void refresh_links();
  Snapshot blank() const;
  static bool answers(const Worker& worker);

  Spec spec_;
  unsigned workers_;
  Placement placement_;
  std::unique_ptr<FlowTable> flows_;
  std::uint64_t fingerprint_seed_;
  std::vector<PacketPool> pools_;       // one per worker, then the control thread's
  std::vector<PacketPool> head_pools_;  // by worker: headers to clients
  std::vector<std::unique_ptr<Port>> ports_;
  std::unique_ptr<CryptoDevice> crypto_;  // null: none
  PortCaps caps_{spec_};
  std::unique_ptr<ClientRoster> clients_;
  std::deque<PacketRing> rings_;
  std::vector<PacketRing*> inject_;                             // by worker
  std::vector<PacketRing*> punted_;                             // by worker
  std::vector<std::vector<PacketRing*>> between_;               // [from][to]
  std::vector<std::vector<PacketRing*>> fan_;                   // likewise, for parts of clients
  std::vector<PacketRing*> between_workers_;                    // these and the transmit rings
  std::vector<std::vector<std::unique_ptr<Port>>> ring_ports_;  // [worker][port]: stand-ins
  std::vector<std::vector<SendDuty>> sends_;                    // by worker
  std::unique_ptr<rte_rcu_qsbr, decltype(&std::free)> rcu_{nullptr, &std::free};
  std::unique_ptr<TscClock> clock_;
  std::vector<std::unique_ptr<ByteRing>> capture_rings_;  // by worker; none before a capture
  std::uint16_t captures_ = 0;
  Nanoseconds since_1970_{0};  // of the clock's origin, as the newest capture began
  std::vector<std::unique_ptr<Worker>> running_;
  Snapshot last_;
  std::vector<std::unique_ptr<SnapshotRequest>> abandoned_;  // a stuck worker's
  std::unique_ptr<Reload> stuck_;                            // likewise
  std::vector<std::uint64_t> flaps_;
  std::vector<bool> was_up_;
  Instant last_refresh_;
  bool started_ = false;
  bool drained_ = false;
};

}  // namespace castgate
