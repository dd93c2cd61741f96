// SPDX-License-Identifier: Apache-2.0
// How an EthdevPort comes up; ethdev_port.cc is what it does then.
#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <numeric>
#include <sys/socket.h>

#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>

#include "dataplane/base/check.h"
#include "dataplane/base/device_string.h"
#include "drivers/ethdev_port.h"
#include "drivers/host_checks.h"
#include "drivers/stderr_capture.h"

namespace castgate {
namespace {

constexpr unsigned kXdpRings = 4096;  // packets that net_af_xdp's four rings keep
constexpr unsigned kEthernetOverhead = RTE_ETHER_HDR_LEN + RTE_ETHER_CRC_LEN;

rte_ether_addr ether(const MacAddress& mac) noexcept {
  rte_ether_addr address{};
  std::memcpy(address.addr_bytes, mac.bytes.data(), mac.bytes.size());
  return address;
}

std::string why(int error, const StderrCapture& captured) {
  const std::string said = captured.last_line();
  return said.empty() ? rte_strerror(std::abs(error)) : said;
}

// net_af_packet's ring: a frame of it holds one of ours, a block is whole pages and whole frames,
// and there are enough of them for a few milliseconds in which no worker looks.
std::string with_ring(std::string device, const EthdevOptions& options) {
  constexpr unsigned kPage = 4096;
  constexpr unsigned kBlock = 65536;
  constexpr unsigned kFrames = 2048;
  for (const auto* key : {"framesz", "blocksz", "framecnt"}) {
    if (!device_option(device, key).empty()) return device;  // the operator knows better
  }
  const unsigned frame = frame_room(options.max_frame);
  CG_CHECK(frame > 0);
  const unsigned whole = std::lcm(frame, kPage);
  const unsigned block = whole * std::max(1u, kBlock / whole);
  const unsigned per_block = std::max(1u, block / frame);
  device += fmt::format(",framesz={},blocksz={},framecnt={}", frame, block,
                        (kFrames + per_block - 1) / per_block * per_block);
  if (options.rx_queues > 1 && device_option(device, "qpairs").empty()) {
    device += fmt::format(",qpairs={}", options.rx_queues);
  }
  return device;
}

bool waits_for_us(const std::string& device) {
  return device.starts_with("net_pcap") || device.starts_with("net_ring") ||
         device.starts_with("net_null");
}

Result<void> check_device(const std::string& device) {
  if (is_pci_address(device)) return check_pci_device(device);
  if (const auto interface = kernel_interface(device); !interface.empty()) {
    return check_interface(interface);
  }
  return {};
}

}  // namespace

EthdevPort::EthdevPort(const EthdevOptions& options)
    : interface_(kernel_interface(options.device)) {
  facts_.name = options.name;
  facts_.device = options.device;
  facts_.on_kernel_interface = kernel_is_host(options.device);
  facts_.is_wire = !waits_for_us(options.device);
}

Result<std::unique_ptr<EthdevPort>> EthdevPort::open(const EthdevOptions& options) {
  const auto refuse = [&](const std::string& text) {
    return fail(fmt::format("port {}: {}", options.name, text));
  };
  if (auto good = check_device(options.device); !good) return refuse(good.error().text);
  std::unique_ptr<EthdevPort> port(new EthdevPort(options));
  const bool pci = is_pci_address(options.device);
  if (pci || !port->interface_.empty()) {
    auto lock = DeviceLock::take(pci ? options.device : port->interface_);
    if (!lock) return refuse(lock.error().text);
    port->lock_ = std::move(*lock);
  }
  const StderrCapture captured;
  if (!pci) {
    const bool af_packet = options.device.starts_with("net_af_packet");
    const auto device = af_packet ? with_ring(options.device, options) : options.device;
    if (const int error = rte_dev_probe(device.c_str()); error != 0) {
      return refuse(fmt::format("{}: {}", options.device, why(error, captured)));
    }
    port->plugged_ = true;
  }
  const std::string device_name = options.device.substr(0, options.device.find(','));
  if (rte_eth_dev_get_port_by_name(device_name.c_str(), &port->id_) != 0) {
    return refuse(fmt::format("{}: DPDK has no driver for this device", options.device));
  }
  if (auto good = port->bring_up(options); !good) {
    const std::string said = captured.last_line();
    return refuse(good.error().text + (said.empty() ? "" : " (" + said + ")"));
  }
  return port;
}

std::size_t EthdevPort::footprint(const std::string& device, unsigned packets, unsigned max_frame) {
  constexpr unsigned kCopies = 2048;  // of the one transmit queue that such drivers have
  const bool xdp = device.starts_with("net_af_xdp");
  return PacketPool::footprint(
      {.packets = kCopies + (xdp ? packets + kXdpRings : 0), .max_frame = max_frame});
}

Result<std::unique_ptr<EthdevPort>> EthdevPort::adopt(std::uint16_t port_id,
                                                      const EthdevOptions& options) {
  std::unique_ptr<EthdevPort> port(new EthdevPort(options));
  port->id_ = port_id;
  const StderrCapture captured;
  if (auto good = port->bring_up(options); !good) {
    return fail(fmt::format("port {}: {}", options.name, good.error().text));
  }
  return port;
}

Result<void> EthdevPort::bring_up(const EthdevOptions& options) {
  opened_ = true;
  if (!interface_.empty()) {
    interface_socket_ = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  }
  if (auto good = configure(options); !good) return good;
  if (facts_.driver == "net_af_xdp") {
    if (auto good = make_own_pools(options); !good) return good;
  }
  if (auto good = set_up_queues(options); !good) return good;
  if (options.mac) {
    rte_ether_addr mac = ether(*options.mac);
    rte_eth_dev_default_mac_addr_set(id_, &mac);  // software devices have none: we write it anyway
    facts_.mac = *options.mac;
  } else {
    rte_ether_addr mac{};
    rte_eth_macaddr_get(id_, &mac);
    std::memcpy(facts_.mac.bytes.data(), mac.addr_bytes, facts_.mac.bytes.size());
  }
  if (const int error = rte_eth_dev_start(id_); error != 0) {
    return fail(fmt::format("does not start: {}", rte_strerror(-error)));
  }
  if (auto good = choose_reception(options.groups); !good) return good;
  link_up_.store(read_link(), std::memory_order_relaxed);
  return prepare_linearising(options);
}

Result<void> EthdevPort::configure(const EthdevOptions& options) {
  rte_eth_dev_info info{};
  if (const int error = rte_eth_dev_info_get(id_, &info); error != 0) {
    return fail(fmt::format("device says nothing of itself: {}", rte_strerror(-error)));
  }
  facts_.driver = info.driver_name;
  facts_.rx_queues = std::clamp<unsigned>(options.rx_queues, 1, info.max_rx_queues);
  facts_.tx_queues = std::clamp<unsigned>(options.tx_queues, 1, info.max_tx_queues);
  if (facts_.driver == "net_af_xdp") {  // its queues are pairs
    facts_.rx_queues = facts_.tx_queues = std::min(facts_.rx_queues, facts_.tx_queues);
  }
  facts_.multi_segment_tx = (info.tx_offload_capa & RTE_ETH_TX_OFFLOAD_MULTI_SEGS) != 0;
  rte_eth_conf conf{};
  // MBUF_FAST_FREE stays off: outputs share payloads, and it forbids that.
  if (facts_.multi_segment_tx) conf.txmode.offloads = RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
  CG_CHECK(!options.rx_pools.empty());
  const unsigned room = rte_pktmbuf_data_room_size(options.rx_pools.front()) - RTE_PKTMBUF_HEADROOM;
  if (options.max_frame > room) conf.rxmode.offloads |= RTE_ETH_RX_OFFLOAD_SCATTER;
  conf.rxmode.offloads &= info.rx_offload_capa;
  // A software device takes what fits its buffers; a kernel interface's MTU is the operator's.
  if (is_pci_address(facts_.device) && options.max_frame > RTE_ETHER_MTU + kEthernetOverhead) {
    if (options.max_frame + RTE_ETHER_CRC_LEN > info.max_rx_pktlen) {
      return fail(fmt::format("max_frame {}: this device takes frames of up to {} bytes",
                              options.max_frame, info.max_rx_pktlen - RTE_ETHER_CRC_LEN));
    }
    conf.rxmode.mtu = std::min<std::uint32_t>(info.max_mtu, options.max_frame - kEthernetOverhead);
  }
  const int error = rte_eth_dev_configure(id_, static_cast<std::uint16_t>(facts_.rx_queues),
                                          static_cast<std::uint16_t>(facts_.tx_queues), &conf);
  if (error == 0) return {};
  return fail(fmt::format("{} receive and {} transmit queues: {}", facts_.rx_queues,
                          facts_.tx_queues, rte_strerror(-error)));
}

Result<void> EthdevPort::set_up_queues(const EthdevOptions& options) {
  std::uint16_t rx = options.rx_descriptors;
  std::uint16_t tx = options.tx_descriptors;
  rte_eth_dev_adjust_nb_rx_tx_desc(id_, &rx, &tx);
  const auto rx_queues = static_cast<std::uint16_t>(facts_.rx_queues);
  const auto tx_queues = static_cast<std::uint16_t>(facts_.tx_queues);
  const auto socket = static_cast<unsigned>(rte_eth_dev_socket_id(id_));
  rx_queues_ = std::vector<RxQueue>(rx_queues);
  for (std::uint16_t q = 0; q < rx_queues; ++q) {
    rte_mempool* pool =
        own_pools_.empty() ? options.rx_pools[q % options.rx_pools.size()] : own_pools_[q].get();
    rx_queues_[q].pool = pool;
    if (const int error = rte_eth_rx_queue_setup(id_, q, rx, socket, nullptr, pool); error != 0) {
      return fail(
          fmt::format("receive queue {} of {} descriptors: {}", q, rx, rte_strerror(-error)));
    }
  }
  for (std::uint16_t q = 0; q < tx_queues; ++q) {
    if (const int error = rte_eth_tx_queue_setup(id_, q, tx, socket, nullptr); error != 0) {
      return fail(
          fmt::format("transmit queue {} of {} descriptors: {}", q, tx, rte_strerror(-error)));
    }
  }
  return {};
}

// net_af_xdp takes 2048 packets for its rings and never gives them back, not even when closed, so
// that a worker's pool would look as if packets had been lost. It gets pools that die with the
// port.
Result<void> EthdevPort::make_own_pools(const EthdevOptions& options) {
  for (unsigned q = 0; q < facts_.rx_queues; ++q) {
    const unsigned wanted = options.rx_pools[q % options.rx_pools.size()]->size;
    auto pool = PacketPool::make({.name = options.name + " XDP",
                                  .packets = wanted + kXdpRings,
                                  .max_frame = options.max_frame});
    if (!pool) return std::unexpected(pool.error());
    own_pools_.push_back(std::move(*pool));
  }
  return {};
}

Result<void> EthdevPort::prepare_linearising(const EthdevOptions& options) {
  tx_queues_ = std::vector<TxQueue>(facts_.tx_queues);
  if (facts_.multi_segment_tx) return {};
  for (auto& queue : tx_queues_) {
    auto pool = PacketPool::make({.name = options.name + " linearised",
                                  .packets = 2u * options.tx_descriptors - 1,
                                  .max_frame = options.max_frame,
                                  .cache = 256});
    if (!pool) return std::unexpected(pool.error());
    queue.pool = std::move(*pool);
  }
  return {};
}

// The narrowest filter that the driver has. Drivers without any let everything through.
Result<void> EthdevPort::choose_reception(std::span<const MacAddress> groups) {
  facts_.reception = "mc_addr_list";
  if (set_groups(groups)) return {};
  if (const int error = rte_eth_promiscuous_enable(id_); error == 0) {
    facts_.reception = "promiscuous";
  } else if (error == -ENOTSUP) {
    facts_.reception = "unfiltered";
  } else {
    return fail(fmt::format("neither allmulticast nor promiscuous: {}", rte_strerror(-error)));
  }
  return {};
}

Result<void> EthdevPort::set_groups(std::span<const MacAddress> groups) {
  if (facts_.reception != "mc_addr_list") return {};
  std::vector<rte_ether_addr> list;
  for (const auto& group : groups) list.push_back(ether(group));
  const int error =
      rte_eth_dev_set_mc_addr_list(id_, list.data(), static_cast<std::uint32_t>(list.size()));
  if (error == 0) return {};
  if (rte_eth_allmulticast_enable(id_) == 0) {  // no such filter, or no room for so many
    facts_.reception = "allmulticast";
    return {};
  }
  return fail(
      fmt::format("port {}: {} groups: {}", facts_.name, list.size(), rte_strerror(-error)));
}

}  // namespace castgate
