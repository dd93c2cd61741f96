// SPDX-License-Identifier: Apache-2.0
#include "dataplane/pipeline.h"

#include <algorithm>

namespace castgate {

Pipeline::Pipeline(const PipelineParts& parts)
    : capture_(parts.spec, parts.streams),
      transmit_(parts.ports, parts.tx_queues, parts.caps),
      replicate_({.spec = parts.spec,
                  .mine = parts.mine,
                  .ports = parts.ports,
                  .pool = parts.pool,
                  .heads = parts.heads,
                  .clients = parts.clients,
                  .streams = parts.streams,
                  .worker = parts.worker,
                  .helpers = parts.helpers,
                  .links = parts.fan_links},
                 transmit_),
      pool_(parts.pool),
      failover_(parts.spec, parts.mine, {parts.held_limit, parts.fingerprint_seed, parts.streams},
                after_failover(parts), *parts.events),
      open_(make_open(parts)),
      classify_({parts.spec, parts.flows, parts.worker, parts.pool}, after_classify(),
                *parts.exits),
      over_ring_(parts.over_ring) {
  over_ring_.resize(parts.ports.size());
}

void Pipeline::command(const Command& command, Instant now) noexcept {
  switch (command.kind) {
    case CommandKind::Leg:
      return failover_.command(command.leg, now);
    case CommandKind::CaptureStart:
      if (capture_ring_ == nullptr) return;
      capture_.start(command.capture, *capture_ring_);
      capture_.set_time(now);
      return show_to(&capture_);
    case CommandKind::CaptureStop:
      return show_to(nullptr);
    case CommandKind::ClientJoin:
    case CommandKind::ClientLeave:
    case CommandKind::ClientChange:
      return replicate_.command(command);
  }
}

void Pipeline::show_to(Tap* tap) noexcept {
  tap_ = tap;
  const bool drops = tap != nullptr && tap->wants(CaptureStage::Drops);
  classify_.show_drops_to(drops ? tap : nullptr);
  if (open_) open_->show_drops_to(drops ? tap : nullptr);
  failover_.show_to(tap);
  if (restamp_) restamp_->show_drops_to(drops ? tap : nullptr);
  if (protect_) protect_->show_drops_to(drops ? tap : nullptr);
  replicate_.show_to(tap);
  transmit_.show_to(tap);
}

void Pipeline::show_received(unsigned port, std::span<rte_mbuf* const> burst,
                             Instant now) noexcept {
  tap_->set_time(now);
  tap_->set_port(port);
  tap_->see({.stage = CaptureStage::Rx, .port = static_cast<std::uint16_t>(port)}, burst);
}

// Where no leg arrives encrypted, packets do not even pass the stage.
std::unique_ptr<OpenStage> Pipeline::make_open(const PipelineParts& parts) {
  std::unique_ptr<OpenStage> open;
  const auto& streams = parts.spec.streams;
  for (std::size_t s = 0; s < streams.size(); ++s) {
    if (!parts.mine[s] || !is_opened(streams[s])) continue;
    if (!open) open = make_open_stage(std::max(streams.size(), parts.streams));
    Openers openers = make_openers(streams[s], open->ciphers());
    open->install(s, openers, {});
  }
  if (open) open->connect(failover_);
  return open;
}

// Where no stream is restamped, packets do not even pass the stage.
Stage& Pipeline::after_failover(const PipelineParts& parts) {
  Stage& next = after_restamp(parts);
  if (!RestampStage::is_needed(parts.spec, parts.mine)) return next;
  restamp_ = std::make_unique<RestampStage>(parts.spec, parts.mine, next, parts.streams);
  return *restamp_;
}

// Nor this one, where none is protected.
Stage& Pipeline::after_restamp(const PipelineParts& parts) {
  const auto& streams = parts.spec.streams;
  for (std::size_t s = 0; s < streams.size(); ++s) {
    if (!parts.mine[s] || !is_protected(streams[s])) continue;
    if (!protect_)
      protect_ = make_protect_stage(std::max(streams.size(), parts.streams), parts.crypto);
    Renditions renditions = make_renditions(streams[s], protect_->ciphers(), parts.crypto);
    protect_->install(s, renditions);
  }
  if (!protect_) return replicate_;
  protect_->connect(replicate_, pool_);
  return *protect_;
}

// Stages that the first stream needs which has them.
void Pipeline::insert_stages(StreamKit& kit) noexcept {
  if (kit.open && !open_) {
    open_ = std::move(kit.open);
    open_->connect(failover_);
    classify_.set_next(*open_);
    show_to(tap_);
  }
  if (kit.protect && !protect_) {
    protect_ = std::move(kit.protect);
    protect_->connect(replicate_, pool_);
    restamp_ ? restamp_->set_next(*protect_) : failover_.set_next(*protect_);
    show_to(tap_);
  }
  if (kit.restamp && !restamp_) {
    restamp_ = std::move(kit.restamp);
    restamp_->set_next(protect_ ? static_cast<Stage&>(*protect_) : replicate_);
    failover_.set_next(*restamp_);
    show_to(tap_);
  }
}

void Pipeline::install(StreamKit& kit, Instant now) noexcept {
  if (kit.part != 0) return replicate_.install(kit.stream, kit.outputs);
  was_changed_ = true;
  insert_stages(kit);
  if (tap_ != nullptr) tap_->set_time(now);
  capture_.set_facts(kit.stream, kit.capture);
  if (open_) open_->install(kit.stream, kit.openers, kit.failover.from);
  failover_.install(kit.stream, kit.failover, now);  // what is let go leaves as it would have
  if (restamp_) restamp_->install(kit.stream, kit.face);
  if (protect_) protect_->install(kit.stream, kit.renditions);
  replicate_.install(kit.stream, kit.outputs);
}

void Pipeline::remove(StreamKit& kit, Instant now) noexcept {
  if (kit.part != 0) return replicate_.install(kit.stream, kit.outputs);
  was_changed_ = true;
  if (tap_ != nullptr) tap_->set_time(now);
  if (open_) open_->install(kit.stream, kit.openers, {});
  failover_.remove(kit.stream, kit.failover.stream, now);
  if (restamp_) restamp_->install(kit.stream, kit.face);
  if (protect_) protect_->install(kit.stream, kit.renditions);
  replicate_.install(kit.stream, kit.outputs);
}

// Another worker may not know yet what this one knows.
void Pipeline::take_over_known(std::span<rte_mbuf* const> burst, Instant now) noexcept {
  std::array<rte_mbuf*, kBurst> known;
  std::size_t count = 0;
  for (rte_mbuf* packet : burst) {
    if (failover_.knows(tag_of(packet))) {
      known[count++] = packet;
      continue;
    }
    removed_.add();
    if (tap_ != nullptr)
      tap_->see({.stage = CaptureStage::Drops, .reason = DropReason::Removed}, {&packet, 1});
    rte_pktmbuf_free(packet);
  }
  after_classify().process({known.data(), count}, now);
}

void Pipeline::drain(Instant now) noexcept {
  if (open_) open_->work();
  failover_.drain(now);
  if (protect_) protect_->finish();
  replicate_.finish();
  transmit_.drain();
}

void Pipeline::snapshot_stream(std::size_t s, StreamSnapshot& into) const {
  if (protect_) {
    into.crypto_packets += protect_->packets(s);
    into.not_sealed += protect_->not_sealed(s);
  }
  if (open_) open_->snapshot(s, into);
  if (failover_.snapshot(s, into)) return replicate_.snapshot(s, into);
  replicate_.snapshot_clients(s, into);
}

void Pipeline::add_counters(Snapshot& into) const {
  DropCounts drops{};
  std::uint64_t received = injected_.get();
  into.ledger.held += held() + replicate_.handed_over() - taken_over_.get() - relayed_.get();
  for (std::size_t p = 0; p < into.ports.size(); ++p) {
    const PortCounters& port = classify_.ports()[p];
    received += port.packets.get();
    into.ports[p].ip_options += port.ip_options.get();
    for (std::size_t r = 0; r < kDropReasons; ++r) {
      into.ports[p].drops[r] += port.drops[r].get();
      drops[r] += port.drops[r].get();
    }
    const auto add = [&](DropReason reason, std::uint64_t count) {
      into.ports[p].drops[static_cast<std::size_t>(reason)] += count;
      drops[static_cast<std::size_t>(reason)] += count;
    };
    add(DropReason::TxFull, transmit_.refused(static_cast<unsigned>(p)));
    add(DropReason::TxRate, transmit_.over_rate(static_cast<unsigned>(p)));
    add(DropReason::TxLinkDown, transmit_.without_link(static_cast<unsigned>(p)));
    (over_ring_[p] ? into.ledger.held : into.ledger.out) +=
        transmit_.sent(static_cast<unsigned>(p));
  }
  failover_.count_drops(drops);
  drops[static_cast<std::size_t>(DropReason::Removed)] += removed_.get();
  for (std::size_t r = 0; r < kDropReasons; ++r) {
    drops[r] += replicate_.drops()[r].get();
    if (open_) drops[r] += open_->drops()[r].get();
    if (restamp_) drops[r] += restamp_->drops()[r].get();
    if (protect_) drops[r] += protect_->drops()[r].get();
    into.drops[r] += drops[r];
    into.ledger.dropped += drops[r];
  }
  into.ledger.in += received;
  into.ledger.created += replicate_.created() + failover_.created();
  if (protect_) into.ledger.created += protect_->created();
}

Snapshot empty_snapshot(const Spec& spec, std::span<Port* const> ports) {
  Snapshot made;
  for (std::size_t p = 0; p < spec.ports.size(); ++p) {
    PortSnapshot port;
    port.name = spec.ports[p].name;
    port.device = spec.ports[p].device;
    port.mac = ports[p]->facts().mac;
    port.reception = ports[p]->facts().reception;
    made.ports.push_back(std::move(port));
  }
  for (const StreamSpec& stream : spec.streams) {
    StreamSnapshot into;
    into.name = stream.name;
    for (const LegSpec& leg : stream.legs) into.legs.emplace_back().name = leg.name;
    for (const OutputSpec& output : stream.outputs) into.outputs.emplace_back().name = output.name;
    for (const UnicastSpec& unicast : stream.unicasts)
      into.unicasts.push_back({.name = unicast.name, .max_clients = unicast.max_clients});
    made.streams.push_back(std::move(into));
  }
  return made;
}

void add_port_stats(std::span<Port* const> ports, Snapshot& into) {
  for (std::size_t p = 0; p < ports.size(); ++p) {
    const PortStats stats = ports[p]->stats();
    PortSnapshot& port = into.ports[p];
    port.link_up = stats.link_up;
    port.rx_packets = stats.rx_packets;
    port.rx_bytes = stats.rx_bytes;
    port.rx_missed = stats.rx_missed;
    port.rx_no_buffer = stats.rx_no_buffer;
    port.rx_errors = stats.rx_errors;
    port.pool_empty = stats.pool_empty;
    port.tx_linearised = stats.tx_linearised;
    port.tx_packets = stats.tx_packets;
    port.tx_bytes = stats.tx_bytes;
  }
}

}  // namespace castgate
