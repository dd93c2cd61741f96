// SPDX-License-Identifier: Apache-2.0
#include "drivers/ethdev_port.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <net/if.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <rte_dev.h>
#include <rte_ethdev.h>
#include <rte_mempool.h>

#include "drivers/linearise.h"
#include "drivers/stderr_capture.h"

namespace castgate {

EthdevPort::~EthdevPort() {
  if (opened_) {
    const StderrCapture captured;  // libxdp has something to say of every interface that it leaves
    rte_eth_dev_info info{};
    rte_eth_dev_info_get(id_, &info);
    rte_eth_dev_stop(id_);
    rte_eth_dev_close(id_);
    if (plugged_ && info.device != nullptr) rte_dev_remove(info.device);
  }
  if (interface_socket_ >= 0) close(interface_socket_);
}

unsigned EthdevPort::receive(unsigned queue, std::span<rte_mbuf*> burst) noexcept {
  const unsigned count = rte_eth_rx_burst(id_, static_cast<std::uint16_t>(queue), burst.data(),
                                          static_cast<std::uint16_t>(burst.size()));
  if (count == 0) look_at_pool(queue);
  return count;
}

// Not every driver counts that it found no buffer (net_af_packet does not): a pool that runs empty
// while nothing is received is counted here, once until it has some again.
void EthdevPort::look_at_pool(unsigned queue) noexcept {
  RxQueue& own = rx_queues_[queue];
  void* packet = nullptr;
  const bool empty = rte_mempool_get(own.pool, &packet) != 0;
  if (!empty) rte_mempool_put(own.pool, packet);
  if (empty && !own.starved) own.pool_empty.add();
  own.starved = empty;
}

unsigned EthdevPort::transmit(unsigned queue, std::span<rte_mbuf* const> burst) noexcept {
  if (!link_up()) return 0;
  if (!facts_.multi_segment_tx) return transmit_linear(queue, burst);
  return rte_eth_tx_burst(id_, static_cast<std::uint16_t>(queue),
                          const_cast<rte_mbuf**>(burst.data()),
                          static_cast<std::uint16_t>(burst.size()));
}

// In chunks: what the driver refuses of a chunk stays the caller's, and its copies are given back.
unsigned EthdevPort::transmit_linear(unsigned queue, std::span<rte_mbuf* const> burst) noexcept {
  constexpr std::size_t kChunk = 32;
  std::array<rte_mbuf*, kChunk> out;
  TxQueue& own = tx_queues_[queue];
  rte_mempool* pool = own.pool ? own.pool->get() : nullptr;
  unsigned done = 0;
  while (done < burst.size()) {
    const auto chunk = burst.subspan(done, std::min(kChunk, burst.size() - done));
    unsigned ready = 0;
    for (rte_mbuf* packet : chunk) {
      rte_mbuf* whole = is_linear(packet) ? packet : linearised(packet, pool);
      if (whole == nullptr) break;
      out[ready++] = whole;
    }
    const unsigned sent = rte_eth_tx_burst(id_, static_cast<std::uint16_t>(queue), out.data(),
                                           static_cast<std::uint16_t>(ready));
    for (unsigned i = 0; i < ready; ++i) {
      if (out[i] == chunk[i]) continue;
      rte_pktmbuf_free(i < sent ? chunk[i] : out[i]);
      if (i < sent) own.linearised.add();
    }
    done += sent;
    if (sent < chunk.size()) break;
  }
  return done;
}

// net_af_packet and net_af_xdp report the link of their start for ever: the kernel is asked.
bool EthdevPort::read_link() const {
  if (interface_socket_ >= 0) {
    ifreq request{};
    std::strncpy(request.ifr_name, interface_.c_str(), sizeof request.ifr_name - 1);
    if (ioctl(interface_socket_, SIOCGIFFLAGS, &request) != 0) return false;
    constexpr int kUsable = IFF_UP | IFF_RUNNING;
    return (request.ifr_flags & kUsable) == kUsable;
  }
  rte_eth_link link{};
  return rte_eth_link_get_nowait(id_, &link) != 0 || link.link_status == RTE_ETH_LINK_UP;
}

void EthdevPort::refresh() {
  const bool up = read_link();
  if (up == link_up()) return;
  link_up_.store(up, std::memory_order_relaxed);
  link_flaps_.add();
}

PortStats EthdevPort::stats() const {
  PortStats stats;
  rte_eth_stats counted{};
  if (rte_eth_stats_get(id_, &counted) == 0) {
    stats.rx_packets = counted.ipackets;
    stats.rx_bytes = counted.ibytes;
    stats.rx_missed = counted.imissed;
    stats.rx_no_buffer = counted.rx_nombuf;
    stats.rx_errors = counted.ierrors;
    stats.tx_packets = counted.opackets;
    stats.tx_bytes = counted.obytes;
    stats.tx_errors = counted.oerrors;
  }
  stats.link_up = link_up();
  stats.link_flaps = link_flaps_.get();
  for (const auto& queue : rx_queues_) stats.pool_empty += queue.pool_empty.get();
  for (const auto& queue : tx_queues_) stats.tx_linearised += queue.linearised.get();
  return stats;
}

}  // namespace castgate
