// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <vector>

#include <rte_mbuf.h>

#include "dataplane/capture/tap.h"
#include "dataplane/contract/spec.h"

namespace castgate {

// Which of the packets that a tap sees a capture is about, and what is known of each.
class CaptureFilter {
 public:
  using LegPorts = std::array<std::uint16_t, kMaxLegs>;

  // `streams`: most there will ever be.
  explicit CaptureFilter(const Spec& spec, std::size_t streams = 0);
  static LegPorts ports_of(const StreamSpec& stream) noexcept;
  void set_ports(std::size_t stream, const LegPorts& ports) noexcept {
    port_of_leg_[stream] = ports;
  }

  void set(const CaptureStart& wanted) noexcept { wanted_ = wanted; }
  std::uint32_t snaplen() const noexcept { return wanted_.snaplen; }

  // False where nobody wants it; else fills `about`, all but its bytes and time.
  bool wants(const Sighting& where, const rte_mbuf* packet, CapturedPacket& about) const noexcept;

 private:
  CaptureStart wanted_;
  std::vector<LegPorts> port_of_leg_;  // by stream index
};

// Up to `most` bytes of the packet, in the pieces they are in.
template <class Write>
void for_each_piece(const rte_mbuf* packet, std::size_t most, const Write& write) {
  for (; packet != nullptr && most != 0; packet = packet->next) {
    const std::size_t length = most < packet->data_len ? most : packet->data_len;
    write(std::span(rte_pktmbuf_mtod(packet, const std::byte*), length));
    most -= length;
  }
}

}  // namespace castgate
