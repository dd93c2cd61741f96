// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "dataplane/replicate/client_vector.h"
#include "dataplane/replicate/header_writer.h"
#include "dataplane/transmit/transmit_stage.h"

namespace castgate {

// A packet on its way to the clients of its stream, as far as it has come.
struct FanJob {
  rte_mbuf* packet = nullptr;  // begins at its UDP payload
  ReceivedHeaders received{};
  std::uint32_t unicast = 0;  // whose clients are served
  bool begun = false;         // a copy was made: the packet itself counts as the first
  bool at_chunk = false;      // `left` are those of the chunk that are still to be served
  std::uint32_t chunks = 0;   // of this unicast output, when its first client was served
  std::uint32_t first = 0;    // chunk that was served first
  std::uint32_t done = 0;     // chunks
  std::uint64_t left = 0;
};

// The clients of one stream, and the packets that they still wait for.
struct FanStream {
  static constexpr unsigned kMostJobs = 64;

  std::vector<std::shared_ptr<ClientVector>> unicasts;  // by index into StreamSpec::unicasts
  std::vector<unsigned> copy_below;  // by unicast output: shorter payloads are copied
  std::array<FanJob, kMostJobs> jobs;
  std::uint16_t index = 0;  // of the stream
  unsigned oldest = 0;
  unsigned waiting = 0;       // jobs
  std::uint32_t turn = 0;     // packets so far: each begins with another chunk
  FanStream* next = nullptr;  // of the streams with jobs

  bool has_clients() const noexcept {
    return std::ranges::any_of(unicasts, [](const auto& clients) { return clients->count() != 0; });
  }
};

// `clients`: of the stream's unicast outputs. `ports`: by index, for what they can send.
std::unique_ptr<FanStream> make_fan_stream(
    const StreamSpec& stream, const std::vector<std::shared_ptr<ClientVector>>& clients,
    std::span<Port* const> ports, std::uint16_t index);

// Gives packets to clients, a bounded number of copies a turn, so that reception goes on and no
// stream waits for another's crowd. Each client gets packets in their order; where too many wait,
// the newest is dropped whole.
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
      : parts_(parts),
        copy_room_(rte_pktmbuf_data_room_size(parts.copies) - RTE_PKTMBUF_HEADROOM) {}

  // `packet` begins at its UDP payload and is read only from here on.
  void offer(FanStream& stream, rte_mbuf* packet, const ReceivedHeaders& received) noexcept;
  // The turn's end: what its budget leaves for packets that wait.
  void work() noexcept;
  // Everything that waits, whatever it takes.
  void finish() noexcept;
  // The same for one stream.
  void finish(FanStream& stream) noexcept;

  bool idle() const noexcept { return first_ == nullptr; }
  std::uint64_t held() const noexcept { return held_; }  // packets of which no copy was made yet

 private:
  struct Batch {
    ClientVector& clients;
    ClientChunk& chunk;
    std::span<const std::uint8_t> slots;  // in the chunk
    std::uint32_t first_slot;
    bool shared;  // the payload, else copied
  };

  bool advance(FanStream& stream, FanJob& job) noexcept;
  bool serve_unicast(FanStream& stream, FanJob& job) noexcept;
  unsigned serve_some(FanStream& stream, FanJob& job, unsigned chunk) noexcept;
  void run(FanStream& stream) noexcept;
  void complete(FanStream& stream, FanJob& job) noexcept;
  void send(const FanStream& stream, const FanJob& job, const Batch& batch) noexcept;
  void miss(const Batch& batch, std::uint8_t slot, ClientDrop why) noexcept;

  Parts parts_;
  unsigned copy_room_;
  unsigned budget_ = kCopiesPerTurn;
  std::uint64_t held_ = 0;
  FanStream* first_ = nullptr;  // streams with jobs, in the order in which they are served
  FanStream* last_ = nullptr;
};

}  // namespace castgate
