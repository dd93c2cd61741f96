// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/churn_scene.h"

#include <array>

#include <rte_cycles.h>

namespace castgate::bench {
namespace {

constexpr unsigned kStay = 100;
constexpr unsigned kRate = 10'000;        // packets a second; times who stays: a million copies
constexpr unsigned kGuests = 4'000;       // addresses, each taken again later
constexpr unsigned kTogether = 50;        // guests at a time
constexpr unsigned kCommandsPerTurn = 8;  // as a worker's
constexpr unsigned kCopies = 256;         // of a worker's turn, at most
constexpr unsigned kBareBytes = 1316;     // bytes, of the bare loop's copies
constexpr unsigned kOut = 1;

double microseconds(std::uint64_t cycles) {
  return static_cast<double>(cycles) * 1e6 / static_cast<double>(rte_get_tsc_hz());
}

}  // namespace

ChurnScene::ChurnScene(const BridgeParts& parts)
    : feed_(0, kRate, parts.pool), bare_(kBareBytes, false, parts) {
  spec_.ports.resize(2);
  spec_.streams = {unicast_stream(0, kOut, kStay + kGuests, 2 * kRate)};
  ports_ = {feed_.port(), parts.sink};
  roster_.emplace(spec_, ports_);
  flows_ = std::make_unique<FlowTable>(spec_, std::vector<std::uint8_t>(1, 0));
  pipeline_ = std::make_unique<Pipeline>(PipelineParts{.spec = spec_,
                                                       .flows = *flows_,
                                                       .mine = {true},
                                                       .ports = ports_,
                                                       .tx_queues = {0, 0},
                                                       .pool = parts.pool,
                                                       .heads = parts.heads,
                                                       .clients = &*roster_,
                                                       .exits = this,
                                                       .events = this});
  for (unsigned c = 0; c < kStay; ++c) stay_.push_back(join(c));
  while (!commands_.empty()) turn({});
}

ChurnScene::~ChurnScene() {
  pipeline_.reset();
}

ClientPlace ChurnScene::join(unsigned number) {
  const ClientRoute route{.to = {IpAddress::v4(0x0a010000 + number), 6000},
                          .source = IpAddress::v4(0x0a0000fe),
                          .next_hop = MacAddress{{2, 0, 0, 0, 0, 7}}};
  const auto command = roster_->join(route, nullptr, 0, done_);
  CG_CHECK(command.has_value());
  commands_.push_back(*command);
  ++issued_;
  return command->client.place;
}

// What the control thread does meanwhile.
void ChurnScene::churn(Instant now) {
  const auto due = static_cast<std::uint64_t>(static_cast<double>(now.ns) * 1e-9 * kJoins);
  for (; joins_ < due; ++joins_) {
    guests_.push_back(join(kStay + static_cast<unsigned>(joins_ % kGuests)));
    if (guests_.size() <= kTogether) continue;
    commands_.push_back(roster_->leave(guests_.front(), ++issued_));
    guests_.pop_front();
  }
}

// As a worker's; false where there was nothing to do.
bool ChurnScene::turn(Instant now) noexcept {
  std::array<rte_mbuf*, kBurst> burst;
  feed_.advance(now);
  const unsigned count = feed_.receive(burst);
  if (count != 0) pipeline_->receive(0, {burst.data(), count}, now);
  unsigned carried_out = 0;
  for (; carried_out < kCommandsPerTurn && !commands_.empty(); ++carried_out, ++done_) {
    pipeline_->command(commands_.front(), now);
    commands_.pop_front();
  }
  if (now >= pipeline_->next_deadline()) pipeline_->tick(now);
  const bool waited = !pipeline_->idle();
  pipeline_->flush();
  return count != 0 || carried_out != 0 || waited;
}

void ChurnScene::run(Nanoseconds span) {
  // Room for all, touched before: what grows would hold up a turn for milliseconds.
  const auto turns = static_cast<std::size_t>(span.count()) / 1'000'000'000 * 3 * kRate;
  for (auto* each : {&turns_.by_clock, &turns_.own, &turns_.unit}) {
    each->resize(turns);
    each->clear();
  }
  const Instant begin = own_time();
  for (Instant now{0}; now.ns < span.count();) {
    churn(now);
    const Instant own = own_time();
    const std::uint64_t began = rte_rdtsc_precise();
    const bool busy = turn(now);
    const std::uint64_t ended = rte_rdtsc_precise();
    const Instant after = own_time();
    if (busy) {
      turns_.by_clock.push_back(microseconds(ended - began));
      turns_.own.push_back(static_cast<double>((after - own).count()) / 1e3);
      const std::uint64_t bare_began = rte_rdtsc_precise();
      bare_.run(kCopies);
      turns_.unit.push_back(microseconds(rte_rdtsc_precise() - bare_began));
    }
    now = {after.ns - begin.ns};
    end_ = now;
  }
}

ChurnScene::Outcome ChurnScene::outcome() {
  pipeline_->drain(end_);
  Snapshot snapshot = empty_snapshot(spec_, ports_);
  pipeline_->snapshot_stream(0, snapshot.streams[0]);
  const std::uint64_t waiting = feed_.come - feed_.taken - feed_.lost;
  Outcome outcome;
  outcome.sent = feed_.come - waiting;
  for (const ClientPlace& place : stay_) {
    outcome.lost += outcome.sent - roster_->counters(place).packets;
  }
  outcome.joins = joins_;
  outcome.copies = snapshot.streams[0].unicasts[0].packets;
  return outcome;
}

}  // namespace castgate::bench
