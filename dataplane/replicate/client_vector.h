// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "dataplane/base/check.h"
#include "dataplane/contract/clients.h"
#include "dataplane/protect/client_seal.h"
#include "dataplane/replicate/output_template.h"
#include "dataplane/replicate/sent_log.h"

namespace castgate {

// What a worker keeps of 64 clients. The headers lie together: a packet for all of them walks
// through these alone, in their order.
struct ClientChunk {
  static constexpr unsigned kClients = 64;

  // Counted here; what cannot be sealed is with the keys.
  static constexpr std::size_t kRareDrops = static_cast<std::size_t>(ClientDrop::NotSealed);

  struct Rare {
    LongHeader long_header{};
    std::uint32_t packets_high = 0;  // carries
    std::uint32_t bytes_high = 0;
    std::array<std::uint32_t, kRareDrops> drops{};
  };

  std::array<HeaderTemplate, kClients> headers;
  std::array<Rare, kClients> rare;
  // Until when each has used its rate up (ClientRate); null where the output has no limit.
  std::unique_ptr<std::array<std::int64_t, kClients>> used_until;
  // Null where they have no keys of their own.
  Secret<ClientSeals> seals;

  std::uint32_t& drops(unsigned at, ClientDrop why) noexcept {
    return why == ClientDrop::NotSealed ? (*seals)[at].drops()
                                        : rare[at].drops[static_cast<std::size_t>(why)];
  }
};

// The clients of one unicast output, each at a slot that is its own as long as it stays. The
// control thread puts chunks in place and writes the headers of slots that are not present; all
// else is the worker's. What each knows of the other goes through the ring of commands.
// NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): what others read has a line of its own.
class ClientVector {
 public:
  static constexpr unsigned kMost = 65'536;  // unicast.max_clients

  // `limited`: each client to a rate; `isolated`: each has a key.
  explicit ClientVector(unsigned most, bool limited = false, bool isolated = false)
      : chunks_((most + ClientChunk::kClients - 1) / ClientChunk::kClients),
        present_(chunks_.size()),
        limited_(limited),
        isolated_(isolated) {}

  // Control thread: the chunk of `slot`, made where it is the first of it.
  ClientChunk& prepare(std::uint32_t slot) {
    auto& chunk = chunks_[slot / ClientChunk::kClients];
    if (!chunk) {
      auto made = std::make_unique<ClientChunk>();
      if (limited_) made->used_until = std::make_unique<std::array<std::int64_t, 64>>();
      if (isolated_) made->seals = make_secret<ClientSeals>();
      chunk = std::move(made);
    }
    if (!sent_) sent_ = std::make_unique<SentLog>();
    return *chunk;
  }

  // Worker: from here on the client gets what comes.
  void add(std::uint32_t slot) noexcept {
    const unsigned chunk = slot / ClientChunk::kClients;
    const std::uint64_t bit = 1ull << slot % ClientChunk::kClients;
    CG_DCHECK(chunks_[chunk] != nullptr && (present_[chunk] & bit) == 0);
    present_[chunk] |= bit;
    if (chunk >= used_) used_ = chunk + 1;
    count_.store(count() + 1, std::memory_order_relaxed);
  }
  void remove(std::uint32_t slot) noexcept {
    const unsigned chunk = slot / ClientChunk::kClients;
    const std::uint64_t bit = 1ull << slot % ClientChunk::kClients;
    CG_DCHECK((present_[chunk] & bit) != 0);
    present_[chunk] &= ~bit;
    if (isolated_) (*chunks_[chunk]->seals)[slot % ClientChunk::kClients].wipe();
    while (used_ != 0 && present_[used_ - 1] == 0) --used_;
    count_.store(count() - 1, std::memory_order_relaxed);
  }

  // Another way to the client; `most_payload` 0: none.
  void change(std::uint32_t slot, const MacAddress& next_hop, std::uint16_t most_payload) noexcept {
    ClientChunk& chunk = *chunks_[slot / ClientChunk::kClients];
    HeaderTemplate& headers = chunk.headers[slot % ClientChunk::kClients];
    LongHeader& whole = chunk.rare[slot % ClientChunk::kClients].long_header;
    std::ranges::copy(next_hop.bytes, headers.header.begin());
    std::ranges::copy(next_hop.bytes, whole.begin());
    headers.most_payload = most_payload;
  }
  // A copy that the driver did not take: it had been counted as sent. It may be of a client of
  // before a reload, whose slot nobody has here.
  void count_refused(std::uint32_t slot) noexcept {
    const std::size_t at = slot / ClientChunk::kClients;
    if (at >= chunks_.size() || !chunks_[at]) return;
    ClientChunk& chunk = *chunks_[at];
    ++chunk.rare[slot % ClientChunk::kClients].drops[static_cast<std::size_t>(ClientDrop::TxFull)];
    ++drops;
  }

  unsigned chunks() const noexcept { return used_; }  // in use; between them some may be empty
  std::uint64_t present(unsigned chunk) const noexcept { return present_[chunk]; }
  ClientChunk& chunk(unsigned index) noexcept { return *chunks_[index]; }
  // For any thread.
  unsigned count() const noexcept { return count_.load(std::memory_order_relaxed); }
  SentLog& sent() noexcept { return *sent_; }  // from the first client on

  // Sums over all clients, since start.
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
  std::uint64_t drops = 0;
  std::uint64_t backlog = 0;  // packets that nobody of them got
  std::uint64_t sealed = 0;   // for one of them alone

 private:
  std::vector<std::unique_ptr<ClientChunk>> chunks_;
  std::vector<std::uint64_t> present_;  // by chunk, a bit for each client
  std::unique_ptr<SentLog> sent_;
  unsigned used_ = 0;
  bool limited_;
  bool isolated_;
  // On a line of its own: a stream's worker asks for each packet whether another one has clients.
  alignas(64) std::atomic<unsigned> count_{0};
};

}  // namespace castgate
