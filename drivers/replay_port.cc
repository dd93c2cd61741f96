// SPDX-License-Identifier: Apache-2.0
#include "drivers/replay_port.h"

#include <algorithm>
#include <cstring>

namespace castgate {
namespace {

constexpr std::size_t kLongestFrame = 65535 + 22;

// Locally administered, the same in every run.
MacAddress made_up_mac(unsigned index) {
  return {{0x02, 0x00, 0x00, 0x00, 0xca, static_cast<std::uint8_t>(index + 1)}};
}

}  // namespace

ReplayPort::ReplayPort(const PortSpec& spec, unsigned index, rte_mempool* pool,
                       const Instant& clock)
    : pool_(pool), clock_(clock), linear_(kLongestFrame) {
  facts_.name = spec.name;
  facts_.device = spec.device;
  facts_.driver = "replay";
  facts_.reception = "capture";
  facts_.mac = spec.mac.value_or(made_up_mac(index));
  facts_.multi_segment_tx = true;
}

Result<void> ReplayPort::record_to(const std::string& path) {
  auto writer = CaptureWriter::create(path);
  if (!writer) return std::unexpected(writer.error());
  writer_.emplace(std::move(*writer));
  return {};
}

Result<void> ReplayPort::close() {
  if (!writer_) return {};
  return writer_->close();
}

rte_mbuf* ReplayPort::packet_of(std::span<const std::byte> frame) noexcept {
  rte_mbuf* first = rte_pktmbuf_alloc(pool_);
  rte_mbuf* last = first;
  while (last != nullptr) {
    const auto now =
        static_cast<std::uint16_t>(std::min<std::size_t>(frame.size(), rte_pktmbuf_tailroom(last)));
    std::memcpy(rte_pktmbuf_mtod(last, void*), frame.data(), now);
    last->data_len = now;
    first->pkt_len += now;
    frame = frame.subspan(now);
    if (frame.empty()) {
      ++stats_.rx_packets;
      stats_.rx_bytes += first->pkt_len;
      return first;
    }
    last->next = rte_pktmbuf_alloc(pool_);
    last = last->next;
    if (last != nullptr) ++first->nb_segs;
  }
  rte_pktmbuf_free(first);
  ++stats_.rx_no_buffer;
  return nullptr;
}

unsigned ReplayPort::receive(unsigned /*queue*/, std::span<rte_mbuf*> /*burst*/) noexcept {
  return 0;
}

unsigned ReplayPort::transmit(unsigned /*queue*/, std::span<rte_mbuf* const> burst) noexcept {
  for (rte_mbuf* packet : burst) {
    const void* bytes = rte_pktmbuf_read(packet, 0, packet->pkt_len, linear_.data());
    if (writer_) {
      writer_->write(clock_, {static_cast<const std::byte*>(bytes), packet->pkt_len});
    }
    ++stats_.tx_packets;
    stats_.tx_bytes += packet->pkt_len;
    rte_pktmbuf_free(packet);
  }
  return static_cast<unsigned>(burst.size());
}

}  // namespace castgate
