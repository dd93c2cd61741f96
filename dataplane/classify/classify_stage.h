// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "dataplane/base/packet/parse.h"
#include "dataplane/classify/flow_table.h"
#include "dataplane/stage.h"

namespace castgate {

// Takes packets that classify finds no place for on this worker.
class ClassifyExits {
 public:
  ClassifyExits() = default;
  ClassifyExits(const ClassifyExits&) = delete;
  ClassifyExits& operator=(const ClassifyExits&) = delete;
  virtual ~ClassifyExits() = default;

  // The stream is served by another worker. False when its ring is full: the packet stays ours.
  virtual bool hand_over(rte_mbuf* packet, unsigned worker) noexcept = 0;
  // The host stack may want the packet. False when the port has none: the packet stays ours.
  virtual bool punt(rte_mbuf* packet, unsigned port, HostKind kind, Instant now) noexcept = 0;
};

struct PortCounters {
  Counter packets;
  Counter ip_options;
  DropCounters drops;
};

struct ClassifyParts {
  const Spec& spec;  // its ports and streams say what is verified
  const FlowTable& flows;
  unsigned worker = 0;
  rte_mempool* frame_pool = nullptr;  // for frames made one segment
};

// Parses each frame once, finds its leg and writes the tag that the later stages go by. Passes on
// single-segment packets cut to the end of their UDP payload, or of ESP.
class ClassifyStage {
 public:
  ClassifyStage(const ClassifyParts& parts, Stage& next, ClassifyExits& exits);

  // `burst` came from port number `port` of the spec.
  void receive(unsigned port, std::span<rte_mbuf* const> burst, Instant now) noexcept;
  // Counts a burst as received and drops it unread.
  void discard(unsigned port, std::span<rte_mbuf* const> burst, DropReason why) noexcept;

  // From the next burst on.
  void set_flows(const FlowTable& flows) noexcept { flows_ = &flows; }

  // Between two bursts.
  void set_next(Stage& next) noexcept { out_.set_next(next); }

  void show_drops_to(Tap* tap) noexcept { bin_.show_to(tap, false); }

  const std::vector<PortCounters>& ports() const noexcept { return ports_; }

 private:
  struct PortChecks {
    ParseChecks parse;
    bool mac = false;
    MacAddress own_mac;
    bool straight = true;  // the short way makes every check that is asked for
  };
  struct StraightWay;

  template <bool kSumUdp>
  void receive_straight(unsigned port, std::span<rte_mbuf* const> burst, Instant now) noexcept;
  void at_length(rte_mbuf* packet, unsigned port, Instant now) noexcept;
  void deliver(rte_mbuf* packet, unsigned port, const PacketLayout& layout, Instant now) noexcept;
  void deliver_esp(rte_mbuf* packet, unsigned port, const PacketLayout& layout,
                   Instant now) noexcept;
  void hand_on(rte_mbuf* packet, unsigned port, const Flow& flow, const PacketLayout& layout,
               Instant now) noexcept;
  Flow flow_of(const rte_mbuf* packet, unsigned port, const PacketLayout& layout) const noexcept;
  bool is_kept_corrupt(const rte_mbuf* packet, unsigned port,
                       const PacketLayout& layout) const noexcept;
  void missed(rte_mbuf* packet, unsigned port, FlowMiss why, Instant now) noexcept;
  void send_on(rte_mbuf* packet, unsigned port, unsigned worker) noexcept;
  rte_mbuf* one_segment(rte_mbuf* packet) noexcept;
  bool mac_fits(const rte_mbuf* packet, unsigned port, const PacketLayout& layout) const noexcept;
  void drop(rte_mbuf* packet, unsigned port, DropReason reason) noexcept;

  const FlowTable* flows_;
  unsigned worker_;
  unsigned max_frame_;
  rte_mempool* frame_pool_;
  Outlet out_;
  ClassifyExits& exits_;
  std::vector<PortChecks> checks_;
  std::vector<PortCounters> ports_;
  DropBin bin_;
};

}  // namespace castgate
