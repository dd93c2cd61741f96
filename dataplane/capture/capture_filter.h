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
  // What it knows of a stream.
  struct Facts {
    std::array<std::uint16_t, kMaxLegs> port_of_leg{};
    bool sealed = false;    // some of it comes or leaves encrypted: not for everybody
    bool isolated = false;  // as it leaves: in the clear until it is sealed for each client
  };

  // `streams`: most there will ever be.
  explicit CaptureFilter(const Spec& spec, std::size_t streams = 0);
  static Facts facts_of(const StreamSpec& stream) noexcept;
  void set_facts(std::size_t stream, const Facts& facts) noexcept { facts_[stream] = facts; }

  void set(const CaptureStart& wanted) noexcept { wanted_ = wanted; }

  // False where nobody wants it; else fills `about`, all but its bytes and time.
  bool wants(const Sighting& where, const rte_mbuf* packet, CapturedPacket& about) const noexcept;
  // Bytes to keep of a packet that is wanted: where it is in the clear and its stream sealed, its
  // headers alone, unless the capture asks for more.
  std::uint32_t length_of(const Sighting& where, const rte_mbuf* packet) const noexcept;

 private:
  CaptureStart wanted_;
  std::vector<Facts> facts_;  // by stream index
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
