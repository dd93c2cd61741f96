// SPDX-License-Identifier: Apache-2.0
#include "controlplane/node/receiver.h"

#include <algorithm>
#include <chrono>
#include <poll.h>
#include <random>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utility>

#include "controlplane/node/relay_answers.h"

namespace castgate {
namespace {

using namespace std::chrono_literals;

constexpr Nanoseconds kPublish = 100ms;
constexpr unsigned kMostProofs = 20;   // a second: anybody may send what looks like one
constexpr unsigned kMostRounds = 256;  // of batches before deadlines are looked at all the same
// For what is in a batch while the windows hold all they may.
constexpr std::uint64_t kInBatches = 1024;

}  // namespace

std::uint64_t unknown_seed() {
  std::random_device device;
  return static_cast<std::uint64_t>(device()) << 32 | device();
}

Instant Receiver::now() noexcept {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<Nanoseconds>(since).count()};
}

Receiver::Receiver(const Config& config, std::vector<std::unique_ptr<LegSocket>> sockets,
                   std::vector<std::unique_ptr<RelayOpener>> openers,
                   std::unique_ptr<PacketSink> sink, Listener listener)
    : config_(config),
      sockets_(std::move(sockets)),
      openers_(std::move(openers)),
      sink_(std::move(sink)),
      listener_(std::move(listener)),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      store_(std::make_unique<PacketStore>(LegSocket::kBatch)) {
  openers_.resize(sockets_.size());
}

Receiver::~Receiver() {
  stop();
}

void Receiver::start() {
  thread_ = std::thread([this] { run(); });
}

void Receiver::stop() {
  if (!thread_.joinable()) return;
  stopping_.store(true, std::memory_order_release);
  eventfd_write(wake_.get(), 1);
  thread_.join();
}

bool Receiver::admit(unsigned leg, const Endpoint& source, SequenceFormat format,
                     std::unique_ptr<RelayOpener> opener) {
  {
    const std::lock_guard lock(orders_);
    if (format_ && *format_ != format) return false;
    if (!format_) {
      format_ = format;
      new_store_ = std::make_unique<PacketStore>(StreamMerge::held_most(format, config_.max_skew) +
                                                 kInBatches);
      new_merge_ = std::make_unique<StreamMerge>(
          StreamMerge::Config{.format = format,
                              .legs = static_cast<unsigned>(sockets_.size()),
                              .max_skew = config_.max_skew,
                              .media = config_.media,
                              .most = config_.most,
                              .seed = unknown_seed()},
          *new_store_, *sink_);
    }
    new_sources_[leg] = source;
    if (opener) new_openers_[leg] = std::move(opener);
  }
  eventfd_write(wake_.get(), 1);
  return true;
}

void Receiver::renew(std::vector<std::unique_ptr<RelayOpener>> openers) {
  {
    const std::lock_guard lock(orders_);
    std::ranges::move(openers, new_openers_.begin());
  }
  eventfd_write(wake_.get(), 1);
}

ReceiverSums Receiver::sums() const {
  const std::lock_guard lock(orders_);
  return published_;
}

void Receiver::take_orders() noexcept {
  eventfd_t count = 0;
  eventfd_read(wake_.get(), &count);
  const std::lock_guard lock(orders_);
  if (new_merge_) {
    merge_ = std::move(new_merge_);
    store_ = std::move(new_store_);
  }
  sources_ = new_sources_;
  for (std::size_t leg = 0; leg < openers_.size(); ++leg) {
    if (!new_openers_[leg]) continue;
    if (openers_[leg]) new_openers_[leg]->inherit(*openers_[leg]);
    openers_[leg] = std::move(new_openers_[leg]);
  }
}

void Receiver::wait() noexcept {
  std::array<pollfd, 9> wanted{};
  const std::size_t count = sockets_.size();
  for (std::size_t i = 0; i < count; ++i) wanted[i] = {sockets_[i]->fd(), POLLIN, 0};
  wanted[count] = {wake_.get(), POLLIN, 0};
  Nanoseconds most = kPublish;
  if (merge_) most = std::clamp(merge_->next_deadline() - now(), Nanoseconds{0}, most);
  const timespec timeout{0, static_cast<long>(most.count())};
  ppoll(wanted.data(), count + 1, &timeout, nullptr);
  if (wanted[count].revents != 0) take_orders();
}

bool Receiver::takes_proof(Instant now) noexcept {
  if (now - proofs_since_ > 1s) {
    proofs_since_ = now;
    proofs_ = 0;
  }
  return ++proofs_ <= kMostProofs;
}

// Is it to be handed on? What came sealed is open then.
bool Receiver::opens(unsigned leg, NodePacket& packet, Instant now) noexcept {
  if (!openers_[leg]) return true;
  switch (openers_[leg]->open(packet, now)) {
    case RelayOpener::Verdict::Genuine:
      return true;
    case RelayOpener::Verdict::Forged:
      ++sums_.legs[leg].forged;
      break;
    case RelayOpener::Verdict::Replayed:
      ++sums_.legs[leg].replayed;
      break;
    case RelayOpener::Verdict::Foreign:
      ++sums_.legs[leg].foreign;
      break;
  }
  return false;
}

void Receiver::sort_out(unsigned leg, const LegSocket::Datagram& datagram, Instant now) noexcept {
  NodePacket* packet = datagram.packet;
  ReceiverSums::Leg& sums = sums_.legs[leg];
  if (auto nonce = parse_proof(packet->payload())) {
    if (takes_proof(now)) listener_.proof(leg, std::move(*nonce), datagram.from);
  } else if (datagram.from != sources_[leg]) {
    ++sums.foreign;
  } else if (datagram.truncated) {
    ++sums.too_long;
  } else if (merge_) {
    ++sums.received;
    if (opens(leg, *packet, now)) return merge_->offer(packet, leg, now);
  }
  store_->give_back(packet);
}

// True where more may be waiting.
bool Receiver::receive(unsigned leg, Instant now) noexcept {
  const auto batch = sockets_[leg]->receive(*store_);
  for (const auto& datagram : batch) sort_out(leg, datagram, now);
  return batch.size() == LegSocket::kBatch;
}

void Receiver::publish(Instant now) noexcept {
  if (merge_) {
    sums_.merged = merge_->sums();
    if (!sums_.first_at && merge_->packets_out() != 0) sums_.first_at = now;
  }
  for (std::size_t i = 0; i < sockets_.size(); ++i) {
    sums_.legs[i].kernel_drops = sockets_[i]->kernel_drops();
  }
  sums_.not_written = sink_->dropped();
  published_at_ = now;
  const std::lock_guard lock(orders_);
  published_ = sums_;
}

void Receiver::run() noexcept {
  bool told = false;
  while (!stopping_.load(std::memory_order_acquire)) {
    wait();
    // What waits in the sockets is read before a deadline is believed: were this thread held up,
    // the packet that fills a gap may lie there.
    Instant at = now();
    bool more = true;
    for (unsigned round = 0; more && round < kMostRounds; ++round) {
      more = false;
      at = now();
      for (unsigned leg = 0; leg < sockets_.size(); ++leg) more |= receive(leg, at);
      if (merge_) merge_->settle();
    }
    if (merge_) merge_->tick(at);
    if (at - published_at_ >= kPublish || (!sums_.first_at && merge_)) publish(at);
    if (!told && ((merge_ && merge_->complete()) || sink_->failure())) {
      told = true;
      listener_.ended();
    }
  }
  if (merge_) merge_->drain(now());
  publish(now());
  sink_->finish();
}

}  // namespace castgate
