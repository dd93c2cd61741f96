// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/bridge_scene.h"

#include <cstdlib>
#include <fmt/format.h>
#include <utility>

#include <rte_ethdev.h>

#include "drivers/ethdev_port.h"

namespace castgate::bench {
namespace {

constexpr unsigned kHeaders = 42;
constexpr PacketTag kTag{.stream = 0, .leg = 0, .worker = 0, .udp_at = 34, .l3_at = 14, .flags = 0};
constexpr unsigned kReceivedEarlier = 2'048;  // packets, where the scene is cold

}  // namespace

BridgeGround::BridgeGround() {
  auto pool = PacketPool::make({.name = "bench", .packets = 16'383});
  auto heads = PacketPool::make({.name = "heads", .packets = 16'383, .heads_only = true});
  EthdevOptions sink;
  sink.name = "sink";
  sink.device = "net_null0";
  if (pool) sink.rx_pools = {pool->get()};
  auto port = EthdevPort::open(sink);
  std::uint16_t id = 0;
  if (!pool || !heads || !port || rte_eth_dev_get_port_by_name(sink.device.c_str(), &id) != 0) {
    fmt::print(stderr, "no pool or no net_null\n");
    std::exit(EXIT_FAILURE);
  }
  pool_ = *std::move(pool);
  heads_ = *std::move(heads);
  port_ = *std::move(port);
  null_.emplace(id);
}

unsigned NullPort::transmit(unsigned queue, std::span<rte_mbuf* const> burst) noexcept {
  return rte_eth_tx_burst(id_, static_cast<std::uint16_t>(queue),
                          const_cast<rte_mbuf**>(burst.data()),
                          static_cast<std::uint16_t>(burst.size()));
}

BridgeScene::SlowSink::~SlowSink() {
  for (rte_mbuf* packet : held_) rte_pktmbuf_free(packet);
}

unsigned BridgeScene::SlowSink::transmit(unsigned, std::span<rte_mbuf* const> burst) noexcept {
  for (rte_mbuf* packet : burst) {
    rte_pktmbuf_free(std::exchange(held_[at_], packet));
    at_ = at_ + 1 == held_.size() ? 0 : at_ + 1;
  }
  return static_cast<unsigned>(burst.size());
}

BridgeScene::BridgeScene(const BridgeOptions& options, const BridgeParts& parts)
    : options_(options), parts_(parts) {
  if (options.in_flight != 0) slow_.emplace(options.in_flight);
  ports_ = {slow_ ? &*slow_ : parts.sink};
  spec_.ports.resize(1);
  StreamSpec& stream = spec_.streams.emplace_back();
  stream.name = "s";
  stream.legs.push_back({"A", 0, {}, {}, {IpAddress::v4(0xef010001), 5000}, {}});
  stream.unicasts.push_back({.name = "homes", .max_clients = options.clients});
  if (options.copy_threshold) stream.unicasts[0].copy_threshold = *options.copy_threshold;
  roster_.emplace(spec_, ports_);
  transmit_.emplace(ports_, std::vector<unsigned>{0});
  const std::vector<bool> mine{true};
  replicate_.emplace(ReplicateParts{.spec = spec_,
                                    .mine = mine,
                                    .ports = ports_,
                                    .pool = parts.pool,
                                    .heads = parts.heads,
                                    .clients = &*roster_},
                     *transmit_);
  for (unsigned c = 0; c < options.clients; ++c) {
    const ClientRoute route{.to = {IpAddress::v4(0x0a000000 + c), 6000},
                            .source = IpAddress::v4(0x0a0000fe),
                            .next_hop = MacAddress{{2, 0, 0, 0, 0, 7}}};
    const auto command = roster_->join(route, nullptr, 0, 0);
    CG_CHECK(command.has_value());
    places_.push_back(command->client.place);
    replicate_->command(*command);
  }
  for (unsigned p = 0; slow_ && p < kReceivedEarlier; ++p) received_.push_back(next_packet());
}

BridgeScene::~BridgeScene() {
  replicate_->finish();
  transmit_->drain();
  replicate_.reset();
  for (rte_mbuf* packet : received_) rte_pktmbuf_free(packet);
}

// As classify leaves a packet; written now, whenever it is sent.
rte_mbuf* BridgeScene::next_packet() {
  rte_mbuf* packet = rte_pktmbuf_alloc(parts_.pool);
  CG_CHECK(packet != nullptr);
  const auto length = static_cast<std::uint16_t>(kHeaders + options_.payload);
  auto* frame = reinterpret_cast<std::uint8_t*>(rte_pktmbuf_append(packet, length));
  std::memset(frame, 0x5a, length);
  set_tag(packet, kTag);
  return packet;
}

std::uint64_t BridgeScene::run(std::uint64_t copies) {
  std::uint64_t made = 0;
  while (made < copies) {
    rte_mbuf* packet = next_packet();
    if (slow_) {
      received_.push_back(packet);
      packet = received_.front();
      received_.pop_front();
    }
    replicate_->process({&packet, 1}, {});
    do {
      replicate_->work();
      transmit_->flush();
    } while (!replicate_->idle());
    made += options_.clients;
    ++packets_;
  }
  return made;
}

std::string BridgeScene::audit() const {
  for (const ClientPlace& place : places_) {
    const std::uint64_t counted = roster_->counters(place).packets;
    if (counted == packets_) continue;
    return fmt::format("client {} was counted {} packets of {}", place.slot, counted, packets_);
  }
  return {};
}

BareLoop::BareLoop(unsigned payload, bool copies, const BridgeParts& parts)
    : copies_(copies), parts_(parts), payload_(rte_pktmbuf_alloc(parts.pool)) {
  CG_CHECK(payload_ != nullptr);
  std::memset(rte_pktmbuf_append(payload_, static_cast<std::uint16_t>(payload)), 0x5a, payload);
  header_.fill(0x77);
}

BareLoop::~BareLoop() {
  rte_pktmbuf_free(payload_);
}

std::uint64_t BareLoop::run(std::uint64_t copies) {
  std::array<rte_mbuf*, 32> burst;
  const std::uint16_t length = payload_->data_len;
  const auto* bytes = rte_pktmbuf_mtod(payload_, const std::uint8_t*);
  std::uint64_t made = 0;
  for (; made < copies; made += burst.size()) {
    rte_mempool* pool = copies_ ? parts_.pool : parts_.heads;
    CG_CHECK(rte_pktmbuf_alloc_bulk(pool, burst.data(), burst.size()) == 0);
    if (!copies_) rte_mbuf_refcnt_update(payload_, burst.size());
    for (rte_mbuf* packet : burst) {
      auto* to = rte_pktmbuf_mtod(packet, std::uint8_t*);
      std::memcpy(to, header_.data(), header_.size());
      packet->pkt_len = kHeaders + std::uint32_t{length};
      if (copies_) {
        std::memcpy(to + kHeaders, bytes, length);
        packet->data_len = static_cast<std::uint16_t>(packet->pkt_len);
      } else {
        packet->data_len = kHeaders;
        packet->nb_segs = 2;
        packet->next = payload_;
      }
    }
    const unsigned taken = parts_.sink->transmit(0, burst);
    CG_CHECK(taken == burst.size());
  }
  return made;
}

}  // namespace castgate::bench
