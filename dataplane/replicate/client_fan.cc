// SPDX-License-Identifier: Apache-2.0
#include "dataplane/replicate/client_fan.h"

#include <algorithm>

namespace castgate {

std::unique_ptr<FanStream> make_fan_stream(const StreamSpec& stream, const FanShare& share,
                                           std::span<Port* const> ports, std::uint16_t index) {
  CG_CHECK(share.part < share.clients.size() && share.helpers.size() + 1 == share.clients.size());
  auto made = std::make_unique<FanStream>();
  made->index = index;
  made->part = share.part;
  made->unicasts = share.clients[share.part];
  for (std::size_t h = 0; share.part == 0 && h < share.helpers.size(); ++h) {
    made->helpers.push_back({share.helpers[h], share.clients[h + 1]});
  }
  for (const UnicastSpec& unicast : stream.unicasts) {
    const bool chains = ports[unicast.port]->facts().multi_segment_tx;
    const bool sharing = chains && !unicast.protect.is_isolated();
    made->manners.push_back({.copy_below = sharing ? unicast.copy_threshold : UINT32_MAX,
                             .fragments = unicast.too_big == TooBig::Fragment,
                             .rate = ClientRate(unicast.max_rate_bps),
                             .copies = ports[unicast.port]->transmit_pool(),
                             .sealing = ClientSealing(unicast.protect)});
  }
  return made;
}

// What still waits is freed; finish() serves it.
ClientFan::~ClientFan() {
  for (; first_ != nullptr; first_ = first_->next) {
    for (; first_->waiting != 0; --first_->waiting) {
      rte_pktmbuf_free(first_->jobs[first_->oldest].packet);
      first_->oldest = (first_->oldest + 1) % FanStream::kMostJobs;
    }
  }
}

void ClientFan::offer(FanStream& stream, rte_mbuf* packet, const ReceivedHeaders& received,
                      Instant now) noexcept {
  if (stream.waiting == FanStream::kMostJobs) [[unlikely]] {
    for (const auto& clients : stream.unicasts) ++clients->backlog;
    return parts_.bin.drop(packet, DropReason::Backlog);
  }
  const std::span payload(rte_pktmbuf_mtod(packet, const std::uint8_t*), packet->data_len);
  for (const auto& clients : stream.unicasts) {
    if (clients->count() != 0) clients->sent().note(received, payload, now);
  }
  FanJob& job = stream.jobs[(stream.oldest + stream.waiting) % FanStream::kMostJobs];
  job = {.packet = packet, .received = received, .at = now, .first = stream.turn++};
  ++held_;
  if (stream.waiting++ != 0) return;
  stream.next = nullptr;
  (first_ == nullptr ? first_ : last_->next) = &stream;
  last_ = &stream;
  if (first_ == &stream && budget_ != 0) run(stream);
}

// The streams take turns, each for as long as its oldest packets and the budget last.
void ClientFan::run(FanStream& stream) noexcept {
  while (stream.waiting != 0) {
    FanJob& job = stream.jobs[stream.oldest];
    if (!advance(stream, job)) break;
    complete(stream, job);
  }
  first_ = stream.next;
  if (first_ == nullptr) last_ = nullptr;
  if (stream.waiting == 0) return;
  stream.next = nullptr;
  (first_ == nullptr ? first_ : last_->next) = &stream;
  last_ = &stream;
}

void ClientFan::work() noexcept {
  while (first_ != nullptr && budget_ != 0) run(*first_);
  budget_ = kCopiesPerTurn;
}

void ClientFan::finish() noexcept {
  while (first_ != nullptr) {
    budget_ = kCopiesPerTurn;
    run(*first_);
  }
}

void ClientFan::finish(FanStream& stream) noexcept {
  while (stream.waiting != 0) {
    budget_ = kCopiesPerTurn;
    run(*first_);
  }
}

void ClientFan::complete(FanStream& stream, FanJob& job) noexcept {
  if (job.begun) {
    rte_pktmbuf_free(job.packet);
  } else {
    --held_;
    parts_.bin.drop(job.packet, DropReason::NoClient);
  }
  stream.oldest = (stream.oldest + 1) % FanStream::kMostJobs;
  --stream.waiting;
}

// True when every client was served; false where the budget ended.
bool ClientFan::advance(FanStream& stream, FanJob& job) noexcept {
  for (; job.unicast < stream.unicasts.size(); ++job.unicast) {
    if (!serve_unicast(stream, job)) return false;
    job.chunks = 0;
    job.done = 0;
  }
  return true;
}

bool ClientFan::serve_unicast(FanStream& stream, FanJob& job) noexcept {
  ClientVector& clients = *stream.unicasts[job.unicast];
  if (job.chunks == 0) job.chunks = clients.chunks();
  for (; job.done < job.chunks; ++job.done) {
    const unsigned chunk = (job.first + job.done) % job.chunks;
    const std::uint64_t present = clients.present(chunk);
    if (!job.at_chunk) job.left = present;
    job.left &= present;  // some may have left meanwhile
    job.at_chunk = true;
    while (job.left != 0) {
      if (budget_ == 0) return false;
      budget_ -= std::min(budget_, serve_some(stream, job, chunk));
    }
    job.at_chunk = false;
  }
  return true;
}

}  // namespace castgate
