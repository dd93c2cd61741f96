// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/path_scene.h"

#include <array>
#include <fmt/format.h>

namespace castgate::bench {
namespace {

constexpr unsigned kOut = 2;
constexpr Nanoseconds kStep{1'000'000};  // between two packets: the window's time goes on

StreamSpec stream_of(const ProtectSpec& protect) {
  StreamSpec stream;
  stream.name = "s";
  for (const unsigned leg : {0u, 1u}) {
    LegSpec& from = stream.legs.emplace_back();
    from.name = leg == 0 ? "A" : "B";
    from.port = leg;
    from.to = {group_of(leg, 0), kUdpPort};
  }
  stream.unicasts.push_back({.name = "homes", .port = kOut, .max_clients = PathScene::kClients});
  stream.unicasts[0].protect = protect;
  return stream;
}

}  // namespace

PathScene::PathScene(const ProtectSpec& protect, const BridgeParts& parts)
    : red_({.leg = 0, .streams = 1}, parts.pool), blue_({.leg = 1, .streams = 1}, parts.pool) {
  spec_.ports.resize(3);
  spec_.streams = {stream_of(protect)};
  ports_ = {&red_, &blue_, parts.sink};
  roster_.emplace(spec_, ports_);
  flows_ = std::make_unique<FlowTable>(spec_, std::vector<std::uint8_t>(1, 0));
  pipeline_ = std::make_unique<Pipeline>(PipelineParts{.spec = spec_,
                                                       .flows = *flows_,
                                                       .mine = {true},
                                                       .ports = ports_,
                                                       .tx_queues = {0, 0, 0},
                                                       .pool = parts.pool,
                                                       .heads = parts.heads,
                                                       .clients = &*roster_,
                                                       .exits = this,
                                                       .events = this});
  for (unsigned c = 0; c < kClients; ++c) {
    const ClientRoute route{.to = {IpAddress::v4(0x0a010000 + c), 6000},
                            .source = IpAddress::v4(0x0a0000fe),
                            .next_hop = MacAddress{{2, 0, 0, 0, 0, 7}}};
    const auto command = roster_->join(route, nullptr, 0, 0);
    CG_CHECK(command.has_value());
    places_.push_back(command->client.place);
    pipeline_->command(*command, {});
  }
}

PathScene::~PathScene() {
  pipeline_.reset();
}

std::uint64_t PathScene::run(std::uint64_t packets) {
  constexpr unsigned kTurns = kClients / ClientFan::kCopiesPerTurn + 1;  // that one packet takes
  std::array<rte_mbuf*, 1> burst;
  for (std::uint64_t n = 0; n < packets; ++n) {
    now_ = now_ + kStep;
    unsigned port = 0;
    for (GeneratorPort* leg : {&red_, &blue_}) {
      if (leg->receive(0, burst) == 1) pipeline_->receive(port, burst, now_);
      ++port;
    }
    if (now_ >= pipeline_->next_deadline()) pipeline_->tick(now_);
    for (unsigned turn = 0; turn < kTurns; ++turn) pipeline_->flush();
  }
  packets_ += packets;
  return packets * kClients;
}

std::string PathScene::audit() {
  pipeline_->drain(now_);
  for (const ClientPlace& place : places_) {
    const std::uint64_t got = roster_->counters(place).packets;
    if (got != packets_) return fmt::format("a client got {} of {} packets", got, packets_);
  }
  return {};
}

}  // namespace castgate::bench
