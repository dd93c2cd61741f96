// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "dataplane/capture/ring_tap.h"
#include "dataplane/classify/classify_stage.h"
#include "dataplane/contract/commands.h"
#include "dataplane/contract/snapshot.h"
#include "dataplane/event_sink.h"
#include "dataplane/failover/failover_stage.h"
#include "dataplane/open/open_stage.h"
#include "dataplane/protect/protect_stage.h"
#include "dataplane/replicate/replicate_stage.h"
#include "dataplane/restamp/restamp_stage.h"
#include "dataplane/stream_kit.h"
#include "dataplane/transmit/transmit_stage.h"
#include "drivers/port.h"

namespace castgate {

struct PipelineParts {
  const Spec& spec;
  const FlowTable& flows;
  unsigned worker = 0;
  std::vector<bool> mine;  // by stream index: does this worker serve it
  std::vector<Port*> ports;
  std::vector<unsigned> tx_queues;        // by port index
  std::vector<PortCap*> caps;             // by port index: null or left out for none
  std::vector<bool> over_ring;            // by port index: another worker sends there
  rte_mempool* pool = nullptr;            // headers, copies, frames made one segment
  rte_mempool* heads = nullptr;           // headers to clients
  const ClientRoster* clients = nullptr;  // null: no stream has a unicast output
  std::vector<FanHelpers> helpers;        // by stream index; none: no stream has any
  std::vector<FanLink> fan_links;         // by worker
  std::size_t streams = 0;                // most there will ever be, where more than in the spec
  std::uint64_t held_limit = UINT64_MAX;
  std::uint64_t fingerprint_seed = 1;  // live: another at each start
  ClassifyExits* exits = nullptr;
  EventSink* events = nullptr;
  CryptoQueue* crypto = nullptr;  // null: there is no crypto device
};

// The stages of one worker, from a received burst to the drivers: classify, open where a leg needs
// it, failover, restamp and protect where a stream does, replicate, transmit. One worker's alone.
class Pipeline {
 public:
  explicit Pipeline(const PipelineParts& parts);

  void receive(unsigned port, std::span<rte_mbuf* const> burst, Instant now) noexcept {
    if (tap_ != nullptr) [[unlikely]]
      show_received(port, burst, now);
    classify_.receive(port, burst, now);
  }
  void discard(unsigned port, std::span<rte_mbuf* const> burst, DropReason why) noexcept {
    classify_.discard(port, burst, why);
  }
  // Packets that another worker classified: tagged, of our streams.
  void take_over(std::span<rte_mbuf* const> burst, Instant now) noexcept {
    taken_over_.add(burst.size());
    if (tap_ != nullptr) [[unlikely]]
      tap_->set_time(now);
    if (was_changed_) [[unlikely]]
      return take_over_known(burst, now);
    after_classify().process(burst, now);
  }
  // Packets of another worker's streams, for our part of their clients.
  void take_part(std::span<rte_mbuf* const> burst, Instant now) noexcept {
    taken_over_.add(burst.size());
    if (tap_ != nullptr) [[unlikely]]
      tap_->set_time(now);
    replicate_.take_part(burst, now);
  }
  // A frame of the host stack's, whole and ready to leave.
  void inject(unsigned port, rte_mbuf* packet) noexcept {
    injected_.add();
    set_tag(
        packet,
        {.stream = CaptureStart::kAny, .leg = 0, .worker = 0, .udp_at = 0, .l3_at = 0, .flags = 0});
    transmit_.add_ahead(port, packet);
  }
  // Another worker's packets for a port whose queue is ours.
  void relay(unsigned port, std::span<rte_mbuf* const> burst) noexcept {
    relayed_.add(burst.size());
    for (rte_mbuf* packet : burst) transmit_.add(port, packet);
  }
  void command(const Command& command, Instant now) noexcept;
  // While packets flow. What is replaced ends in `kit`, to be freed elsewhere.
  void install(StreamKit& kit, Instant now) noexcept;
  void remove(StreamKit& kit, Instant now) noexcept;
  void set_flows(const FlowTable& flows) noexcept { classify_.set_flows(flows); }
  Instant next_deadline() const noexcept { return failover_.next_deadline(); }
  void tick(Instant now) noexcept {
    if (tap_ != nullptr) [[unlikely]]
      tap_->set_time(now);
    if (open_) open_->work();  // what came in time
    failover_.tick(now);
  }
  // The time of what leaves from now on, for ports with a cap.
  void set_time(Instant now) noexcept { transmit_.set_time(now); }
  // The turn's end.
  void flush() noexcept {
    if (open_) open_->work();
    if (protect_) protect_->work();
    replicate_.work();
    transmit_.flush();
  }
  // False while packets wait for clients or a device: flush() goes on with them.
  bool idle() const noexcept { return replicate_.idle() && !(protect_ && protect_->held() != 0); }
  void drain(Instant now) noexcept;

  // Where captures that commands start go to; set before the first of them.
  void capture_into(ByteRing& ring) noexcept { capture_ring_ = &ring; }
  std::uint64_t capture_missed() const noexcept { return capture_.missed(); }  // for any thread
  // Shows packets to `tap` from here on; null: to nobody.
  void show_to(Tap* tap) noexcept;
  bool locate(const rte_mbuf* packet, Located& where) const noexcept {
    return failover_.locate(packet, where);
  }
  std::uint64_t held() const noexcept {
    return (open_ ? open_->held() : 0) + failover_.held() + (protect_ ? protect_->held() : 0) +
           replicate_.held() + transmit_.waiting();
  }

  // Fills what this worker knows of stream `s`, at most a few microseconds of work.
  void snapshot_stream(std::size_t s, StreamSnapshot& into) const;
  // Adds this worker's drops and its part of the ledger. What is between two workers is held: it
  // is taken from `held` where it comes out of a ring, so only the sum over all workers is true.
  void add_counters(Snapshot& into) const;

 private:
  void take_over_known(std::span<rte_mbuf* const> burst, Instant now) noexcept;
  void show_received(unsigned port, std::span<rte_mbuf* const> burst, Instant now) noexcept;

  Tap* tap_ = nullptr;
  RingTap capture_;  // before the stages, which show it packets to their end
  ByteRing* capture_ring_ = nullptr;
  std::unique_ptr<OpenStage> make_open(const PipelineParts& parts);
  Stage& after_classify() noexcept { return open_ ? static_cast<Stage&>(*open_) : failover_; }
  Stage& after_failover(const PipelineParts& parts);
  Stage& after_restamp(const PipelineParts& parts);
  void insert_stages(StreamKit& kit) noexcept;

  TransmitStage transmit_;
  ReplicateStage replicate_;
  std::unique_ptr<ProtectStage> protect_;  // null until a stream needs it
  std::unique_ptr<RestampStage> restamp_;  // likewise
  rte_mempool* pool_;
  FailoverStage failover_;
  std::unique_ptr<OpenStage> open_;  // null until a leg needs it
  ClassifyStage classify_;
  bool was_changed_ = false;  // what another worker hands over may be of a stream that is gone
  Counter taken_over_;
  Counter removed_;  // of it
  Counter injected_;
  Counter relayed_;
  std::vector<bool> over_ring_;
};

// A snapshot with every name in place and every counter zero.
Snapshot empty_snapshot(const Spec& spec, std::span<Port* const> ports);
// Adds what the drivers count.
void add_port_stats(std::span<Port* const> ports, Snapshot& into);

}  // namespace castgate
