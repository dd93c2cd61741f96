// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "dataplane/base/failover/inherited.h"
#include "dataplane/contract/snapshot.h"
#include "dataplane/open/opener.h"
#include "dataplane/stage.h"

namespace castgate {

// Opens what comes of legs that arrive encrypted; from here on it is as if it had come in the
// clear. Expects the tag of classify and packets of one segment that nobody shares. What is forged,
// was there before or is not encrypted at all ends here.
class OpenStage final : public Stage {
 public:
  // What openers of this stage are made with.
  const Ciphers& ciphers() const noexcept { return ciphers_; }

  // `streams`: most there will ever be.
  OpenStage(std::size_t streams, Ciphers ciphers) noexcept;
  ~OpenStage() override;

  void connect(Stage& next) noexcept { out_.emplace(next); }
  // Legs go on where they were; what there was is in `openers` afterwards.
  void install(std::size_t stream, Openers& openers, const Inherited& from) noexcept;

  void process(std::span<rte_mbuf* const> burst, Instant now) noexcept override;
  // The turn's end: what waits to be opened together is, and goes on.
  void work() noexcept;

  std::uint64_t held() const noexcept { return batch_.size(); }
  void snapshot(std::size_t stream, StreamSnapshot& into) const noexcept;
  void show_drops_to(Tap* tap) noexcept { bin_.show_to(tap, true); }
  const DropCounters& drops() const noexcept { return bin_.counters(); }

 private:
  void open(rte_mbuf* packet, const PacketTag& tag, Opener& opener) noexcept;
  void open_esp(rte_mbuf* packet, Opener& opener) noexcept;
  void open_srtp(rte_mbuf* packet, const PacketTag& tag, Opener& opener) noexcept;
  void forward(rte_mbuf* packet, Opener& opener) noexcept;
  void drop(rte_mbuf* packet, DropReason reason, Opener& opener) noexcept;

  // NOLINTNEXTLINE(bugprone-unchecked-optional-access): connect() comes before any packet.
  Outlet& out() noexcept { return *out_; }

  std::optional<Outlet> out_;
  Ciphers ciphers_;
  std::vector<Openers> streams_;
  std::vector<std::byte> spare_;  // for the copy of one packet
  SrtpCmBatch batch_;
  struct Waiting {
    rte_mbuf* packet;
    Opener* opener;
    SrtpInbound::Packet srtp;
  };
  std::array<Waiting, SrtpCmBatch::kMost> waiting_{};  // as they are in the batch
  Instant now_;                                        // of the burst before
  DropBin bin_;
};

// Needs a processor with AES instructions, as was seen at the start.
std::unique_ptr<OpenStage> make_open_stage(std::size_t streams);

}  // namespace castgate
