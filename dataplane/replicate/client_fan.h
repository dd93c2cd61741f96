// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "dataplane/protect/client_sealer.h"
#include "dataplane/replicate/client_rate.h"
#include "dataplane/replicate/client_roster.h"
#include "dataplane/replicate/client_tag.h"
#include "dataplane/replicate/client_vector.h"
#include "dataplane/replicate/header_writer.h"
#include "dataplane/transmit/transmit_stage.h"

namespace castgate {

// How a unicast output wants its clients' packets.
struct FanManner {
  unsigned copy_below = 0;        // bytes: shorter payloads are copied
  bool fragments = false;         // of what is too big for the way to a client
  ClientRate rate;                // of each client
  rte_mempool* copies = nullptr;  // Port::transmit_pool()
  ClientSealing sealing;          // where each client has a key of its own
  bool operator==(const FanManner&) const = default;
};

// A packet on its way to the clients of its stream, as far as it has come.
struct FanJob {
  rte_mbuf* packet = nullptr;  // begins at its UDP payload
  ReceivedHeaders received{};
  Instant at;                         // when it came
  std::uint16_t checksum_for_v6 = 0;  // the packet's own; 0: nobody has needed it yet
  std::uint32_t unicast = 0;          // whose clients are served
  bool begun = false;                 // a copy was made: the packet itself counts as the first
  bool at_chunk = false;              // `left` are those of the chunk that are still to be served
  std::uint32_t chunks = 0;           // of this unicast output, when its first client was served
  std::uint32_t first = 0;            // chunk that was served first
  std::uint32_t done = 0;             // chunks
  std::uint64_t left = 0;
};

// Another worker that has clients of the stream.
struct FanHelper {
  std::uint8_t worker = 0;
  ClientRoster::Vectors unicasts;  // its clients, by index into StreamSpec::unicasts

  bool has_clients() const noexcept {
    return std::ranges::any_of(unicasts, [](const auto& clients) { return clients->count() != 0; });
  }
  bool operator==(const FanHelper&) const = default;
};

// The clients of one stream that one worker serves, and the packets that they still wait for.
struct FanStream {
  static constexpr unsigned kMostJobs = 64;

  ClientRoster::Vectors unicasts;  // by index into StreamSpec::unicasts
  std::vector<FanHelper> helpers;  // who has the other parts; none where this is not the first
  unsigned part = 0;               // of the stream's clients
  std::vector<FanManner> manners;  // likewise
  std::array<FanJob, kMostJobs> jobs;
  std::uint16_t index = 0;  // of the stream
  unsigned oldest = 0;
  unsigned waiting = 0;       // jobs
  std::uint32_t turn = 0;     // packets so far: each begins with another chunk
  FanStream* next = nullptr;  // of the streams with jobs

  bool serves_the_same(const FanStream& other) const noexcept {
    return unicasts == other.unicasts && manners == other.manners && helpers == other.helpers &&
           part == other.part;
  }
  bool has_clients() const noexcept {
    return std::ranges::any_of(unicasts, [](const auto& clients) { return clients->count() != 0; });
  }
};

// Who serves a stream's clients.
struct FanShare {
  const ClientRoster::Parts& clients;
  std::span<const std::uint8_t> helpers;  // workers of all parts but the first
  unsigned part = 0;                      // whose FanStream is made
};

// `ports`: by index, for what they can send.
std::unique_ptr<FanStream> make_fan_stream(const StreamSpec& stream, const FanShare& share,
                                           std::span<Port* const> ports, std::uint16_t index);

// Gives packets to clients, a bounded number of copies a turn, so that reception goes on and no
// stream waits for another's crowd. Fragments are copies; a turn goes over its number by those of
// one packet at most. Each client gets packets in their order; where too many wait, the newest is
// dropped whole.
class ClientFan {
 public:
  static constexpr unsigned kCopiesPerTurn = 256;
  static constexpr unsigned kBatch = 32;

  // `heads`: for headers before a shared payload. `copies`: for whole packets.
  struct Parts {
    rte_mempool* heads;
    rte_mempool* copies;
    TransmitStage& transmit;
    Counter& created;
    DropBin& bin;
  };
  ClientFan(const ClientFan&) = delete;
  ClientFan& operator=(const ClientFan&) = delete;
  ~ClientFan();
  explicit ClientFan(const Parts& parts)
      : parts_(parts), copy_room_(rte_pktmbuf_data_room_size(parts.copies) - RTE_PKTMBUF_HEADROOM) {
    CG_CHECK(rte_pktmbuf_priv_size(parts.copies) == 0);
  }

  // `packet` begins at its UDP payload and is read only from here on.
  void offer(FanStream& stream, rte_mbuf* packet, const ReceivedHeaders& received,
             Instant now) noexcept;
  // The turn's end: what its budget leaves for packets that wait.
  void work() noexcept;
  // Everything that waits, whatever it takes.
  void finish() noexcept;
  // The same for one stream.
  void finish(FanStream& stream) noexcept;

  // Before the first packet for clients who have keys of their own.
  bool seals() const noexcept { return sealer_ != nullptr; }
  void seal_with(std::unique_ptr<ClientSealer> sealer) noexcept { sealer_ = std::move(sealer); }

  bool idle() const noexcept { return first_ == nullptr; }
  std::uint64_t held() const noexcept { return held_; }  // packets of which no copy was made yet

 private:
  struct Batch {
    ClientVector& clients;
    ClientChunk& chunk;
    const FanManner& manner;
    std::uint32_t first_slot;
    bool shared;                                 // the payload, else copied
    std::uint16_t payload;                       // of UDP, as it leaves
    ClientTag tag;                               // but for the slot
    bool plain = false;                          // all clients are of one kind, and that is_plain()
    unsigned count = 0;                          // clients that get the packet
    unsigned too_big = 0;                        // others that get it in fragments
    unsigned further = 0;                        // fragments of theirs, but for the first of each
    std::array<std::uint8_t, kBatch> slots;      // of each, in the chunk
    std::array<std::uint8_t, kBatch> big_slots;  // of those others
    std::array<rte_mbuf*, kBatch> packets;       // buffer of each
  };

  // Is the packet for this client in fragments, or not at all?
  void set_aside(Batch& batch, std::uint8_t slot, const FanJob& job) noexcept;
  void hold_to_rate(Batch& batch, const FanJob& job) noexcept;
  // How many packets more than one it took.
  unsigned send_fragments(const FanJob& job, const Batch& batch, std::uint8_t slot) noexcept;
  bool advance(FanStream& stream, FanJob& job) noexcept;
  bool serve_unicast(FanStream& stream, FanJob& job) noexcept;
  unsigned serve_some(FanStream& stream, FanJob& job, unsigned chunk) noexcept;
  void run(FanStream& stream) noexcept;
  void complete(FanStream& stream, FanJob& job) noexcept;
  rte_mempool* pool_of(const Batch& batch) const noexcept {
    if (batch.shared) return parts_.heads;
    return batch.manner.copies != nullptr ? batch.manner.copies : parts_.copies;
  }
  bool take_buffers(Batch& batch, const FanJob& job, unsigned count) noexcept;
  void give_back(const Batch& batch, unsigned taken) noexcept;
  void send(FanJob& job, Batch& batch) noexcept;
  template <bool kShared>
  void write_plain(const FanJob& job, const Batch& batch) noexcept;
  void write_any(FanJob& job, const Batch& batch) noexcept;
  void write_sealed(const FanJob& job, Batch& batch) noexcept;
  // In fragments: how many packets more than one it took.
  unsigned send_sealed_fragments(const FanJob& job, const Batch& batch, std::uint8_t slot) noexcept;
  unsigned cut(const Batch& batch, std::uint8_t slot, std::span<const std::uint8_t> payload,
               const ReceivedHeaders& received) noexcept;
  rte_mbuf* seal_apart(const FanJob& job, const Batch& batch, std::uint8_t slot) noexcept;
  void miss(const Batch& batch, std::uint8_t slot, ClientDrop why) noexcept {
    miss(batch, slot, why, drop_reason(why));
  }
  void miss(const Batch& batch, std::uint8_t slot, ClientDrop why, DropReason reason) noexcept;

  Parts parts_;
  std::unique_ptr<ClientSealer> sealer_;
  unsigned copy_room_;
  unsigned budget_ = kCopiesPerTurn;
  std::uint64_t held_ = 0;
  FanStream* first_ = nullptr;  // streams with jobs, in the order in which they are served
  FanStream* last_ = nullptr;
};

}  // namespace castgate
