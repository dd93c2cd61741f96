// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/neighbour_scene.h"

#include <array>

namespace castgate::bench {
namespace {

constexpr unsigned kCrowdsRate = 20'000;  // packets a second; times the crowd: more than can be
constexpr std::uint16_t kOne = 0;
constexpr std::uint16_t kMany = 1;
constexpr unsigned kOut = 2;

}  // namespace

NeighbourScene::NeighbourScene(unsigned crowd, const BridgeParts& parts)
    : one_(kOne, kRate, parts.pool), many_(kMany, kCrowdsRate, parts.pool) {
  spec_.ports.resize(3);
  spec_.streams = {unicast_stream(kOne, kOut, 1, 2 * kRate),
                   unicast_stream(kMany, kOut, crowd, 2 * kRate)};
  ports_ = {one_.port(), many_.port(), parts.sink};
  roster_.emplace(spec_, ports_);
  flows_ = std::make_unique<FlowTable>(spec_, std::vector<std::uint8_t>(2, 0));
  pipeline_ = std::make_unique<Pipeline>(PipelineParts{.spec = spec_,
                                                       .flows = *flows_,
                                                       .mine = {true, true},
                                                       .ports = ports_,
                                                       .tx_queues = {0, 0, 0},
                                                       .pool = parts.pool,
                                                       .heads = parts.heads,
                                                       .clients = &*roster_,
                                                       .exits = this,
                                                       .events = this});
  client_ = join(kOne, crowd);
  for (unsigned c = 0; c < crowd; ++c) join(kMany, c);
}

NeighbourScene::~NeighbourScene() {
  pipeline_.reset();
}

ClientPlace NeighbourScene::join(std::uint16_t stream, unsigned number) {
  const ClientRoute route{.stream = stream,
                          .to = {IpAddress::v4(0x0a010000 + number), 6000},
                          .source = IpAddress::v4(0x0a0000fe),
                          .next_hop = MacAddress{{2, 0, 0, 0, 0, 7}}};
  const auto command = roster_->join(route, nullptr, 0, 0);
  CG_CHECK(command.has_value());
  pipeline_->command(*command, {});
  return command->client.place;
}

// Turns as a worker's.
void NeighbourScene::run(Nanoseconds span) {
  std::array<rte_mbuf*, kBurst> burst;
  const Instant begin = own_time();
  for (Instant now{0}; now.ns < span.count(); now = {own_time().ns - begin.ns}) {
    unsigned port = 0;
    for (TimedFeed* feed : {&one_, &many_}) {
      feed->advance(now);
      const unsigned count = feed->receive(burst);
      if (count != 0) pipeline_->receive(port, {burst.data(), count}, now);
      ++port;
    }
    if (now >= pipeline_->next_deadline()) pipeline_->tick(now);
    pipeline_->flush();
    end_ = now;
  }
}

NeighbourScene::Outcome NeighbourScene::outcome() {
  pipeline_->drain(end_);
  Snapshot snapshot = empty_snapshot(spec_, ports_);
  for (std::size_t s : {kOne, kMany}) pipeline_->snapshot_stream(s, snapshot.streams[s]);
  Outcome outcome;
  const std::uint64_t waiting = one_.come - one_.taken - one_.lost;
  outcome.sent = one_.come - waiting;
  outcome.lost = outcome.sent - roster_->counters(client_).packets;
  outcome.most_waiting = one_.most_waiting;
  outcome.copies = snapshot.streams[kMany].unicasts[0].packets;
  outcome.left_waiting = snapshot.streams[kMany].unicasts[0].backlog;
  return outcome;
}

}  // namespace castgate::bench
