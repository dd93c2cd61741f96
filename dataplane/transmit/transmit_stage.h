// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "dataplane/stage.h"
#include "dataplane/transmit/port_cap.h"
#include "drivers/port.h"

namespace castgate {

// Told of packets that no driver took, before they are freed.
class RefusalWitness {
 public:
  virtual void not_sent(std::span<rte_mbuf* const> packets) noexcept = 0;

 protected:
  ~RefusalWitness() = default;
};

// Gathers packets per port and gives them to the drivers once a turn. What a driver refuses is
// offered once more, in the next turn at the latest, then dropped and counted.
class TransmitStage {
 public:
  // By port index: `queues` this worker's transmit queue, `caps` the port's cap, null where it has
  // none; ports that `caps` leaves out have none.
  TransmitStage(std::vector<Port*> ports, std::vector<unsigned> queues,
                std::vector<PortCap*> caps = {});
  ~TransmitStage();
  TransmitStage(const TransmitStage&) = delete;
  TransmitStage& operator=(const TransmitStage&) = delete;

  // `packet` leaves through `port`; it may have several segments where the port can send them.
  void add(unsigned port, rte_mbuf* packet) noexcept {
    Lane& lane = lanes_[port];
    lane.pending[lane.count++] = packet;
    if (lane.count == lane.send_at) [[unlikely]]
      send(lane);
  }

  // The same for many.
  void add(unsigned port, std::span<rte_mbuf* const> packets) noexcept {
    Lane& lane = lanes_[port];
    while (!packets.empty()) {
      const std::size_t fits = std::min<std::size_t>(packets.size(), lane.send_at - lane.count);
      std::copy_n(packets.begin(), fits, lane.pending.begin() + lane.count);
      lane.count += static_cast<unsigned>(fits);
      packets = packets.subspan(fits);
      if (lane.count == lane.send_at) send(lane);
    }
  }

  // A frame of the host stack's: no cap holds up what finds a neighbour or keeps a membership.
  void add_ahead(unsigned port, rte_mbuf* packet) noexcept;

  // The time of what leaves from now on.
  void set_time(Instant now) noexcept { now_ = now; }

  // Null: nobody.
  void tell_refusals_to(RefusalWitness* witness) noexcept { witness_ = witness; }

  // Null: to nobody.
  void show_to(Tap* tap) noexcept { tap_ = tap; }

  // The turn's end: everything gathered goes to the drivers.
  void flush() noexcept;
  // The last chance: what is refused now is dropped.
  void drain() noexcept;

  std::uint64_t waiting() const noexcept;
  // By port, for the snapshot.
  std::uint64_t sent(unsigned port) const noexcept { return lanes_[port].sent.get(); }
  std::uint64_t refused(unsigned port) const noexcept { return lanes_[port].full.get(); }
  std::uint64_t over_rate(unsigned port) const noexcept { return lanes_[port].over_rate.get(); }
  std::uint64_t without_link(unsigned port) const noexcept { return lanes_[port].link_down.get(); }

 private:
  static constexpr unsigned kGather = 64;

  struct Lane {
    Port* port = nullptr;
    PortCap* cap = nullptr;
    unsigned queue = 0;
    unsigned count = 0;
    unsigned refused = 0;        // at the front of pending: offered before
    unsigned send_at = kGather;  // packets; as many new ones whatever was refused
    std::array<rte_mbuf*, std::size_t{2} * kGather> pending{};
    Counter sent;
    bool capped = false;  // it was the cap that refused the last
    Counter full;
    Counter over_rate;
    Counter link_down;
  };

  void send(Lane& lane) noexcept;
  unsigned offer(Lane& lane) noexcept;
  static DropReason reason_of(const Lane& lane) noexcept;
  void drop_front(Lane& lane, unsigned count) noexcept;
  void show(const Lane& lane, CaptureStage stage, std::span<rte_mbuf* const> packets) noexcept;

  Tap* tap_ = nullptr;
  RefusalWitness* witness_ = nullptr;
  Instant now_;
  std::vector<Lane> lanes_;
};

}  // namespace castgate
