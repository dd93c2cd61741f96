// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "controlplane/node/leg_socket.h"
#include "controlplane/node/packet_sink.h"
#include "controlplane/node/relay_opener.h"
#include "controlplane/node/stream_merge.h"

namespace castgate {

// That nobody can foretell.
std::uint64_t unknown_seed();

// What came and what left, as of a moment ago.
struct ReceiverSums {
  struct Leg {
    std::uint64_t received = 0;  // from the relay's source
    std::uint64_t foreign = 0;   // from any other address, or nothing of the stream's inside ESP
    std::uint64_t too_long = 0;
    std::uint64_t forged = 0;        // of those received: not sealed with the key
    std::uint64_t replayed = 0;      // likewise: opened before, or too old to know
    std::uint64_t kernel_drops = 0;  // the socket's buffer was full
  };
  MergeSums merged;
  std::array<Leg, 8> legs{};
  std::uint64_t not_written = 0;    // that found no room in the output
  std::optional<Instant> first_at;  // the first packet that left
};

// The thread that packets walk through: from one socket for each relay, through the merge, out.
class Receiver {
 public:
  struct Config {
    Nanoseconds max_skew{50'000'000};
    bool media = false;
    std::uint64_t most = UINT64_MAX;  // packets
  };
  // Both are called on the receiver's thread.
  struct Listener {
    std::function<void(unsigned leg, std::string nonce, Endpoint from)> proof;
    std::function<void()> ended;  // all packets came that were asked for, or the output failed
  };

  // `openers`: one for each socket, or none where nothing comes sealed with keys known before.
  Receiver(const Config& config, std::vector<std::unique_ptr<LegSocket>> sockets,
           std::vector<std::unique_ptr<RelayOpener>> openers, std::unique_ptr<PacketSink> sink,
           Listener listener);
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;
  ~Receiver();

  void start();
  // From here on a leg's packets come from `source`, and are opened by `opener`; null: as before.
  // The first call says what the format is; false where another's differs.
  bool admit(unsigned leg, const Endpoint& source, SequenceFormat format,
             std::unique_ptr<RelayOpener> opener = nullptr);
  // From here on a leg's packets are opened by these, which go on where those before them are.
  void renew(std::vector<std::unique_ptr<RelayOpener>> openers);
  // What is kept leaves; the output is closed. Nothing is received afterwards.
  void stop();

  ReceiverSums sums() const;
  std::optional<Error> failure() const { return sink_->failure(); }
  static Instant now() noexcept;

 private:
  void run() noexcept;
  void wait() noexcept;
  void take_orders() noexcept;
  bool receive(unsigned leg, Instant now) noexcept;
  void sort_out(unsigned leg, const LegSocket::Datagram& datagram, Instant now) noexcept;
  bool takes_proof(Instant now) noexcept;
  bool opens(unsigned leg, NodePacket& packet, Instant now) noexcept;
  void publish(Instant now) noexcept;

  Config config_;
  std::vector<std::unique_ptr<LegSocket>> sockets_;
  std::vector<std::unique_ptr<RelayOpener>> openers_;  // the thread's own once it runs
  std::unique_ptr<PacketSink> sink_;
  Listener listener_;
  UniqueFd wake_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;

  mutable std::mutex orders_;  // guards the next six
  std::optional<SequenceFormat> format_;
  std::unique_ptr<PacketStore> new_store_;
  std::unique_ptr<StreamMerge> new_merge_;
  std::array<std::optional<Endpoint>, 8> new_sources_{};
  std::array<std::unique_ptr<RelayOpener>, 8> new_openers_;
  ReceiverSums published_;

  // The thread's own.
  std::unique_ptr<PacketStore> store_;  // outlives the merge
  std::unique_ptr<StreamMerge> merge_;  // null until a relay answered
  std::array<std::optional<Endpoint>, 8> sources_{};
  ReceiverSums sums_;
  Instant published_at_;
  Instant proofs_since_;
  unsigned proofs_ = 0;
};

}  // namespace castgate
