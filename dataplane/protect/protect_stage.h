// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "dataplane/protect/device_sealer.h"
#include "dataplane/protect/rendition.h"
#include "dataplane/stage.h"

namespace castgate {

// Encrypts each packet of a protected stream once, however many receive it. Expects the tag of
// classify and packets of one segment that nobody shares. Where the outputs of a stream do not all
// protect alike, each way that its packets leave is a packet of its own from here on, and the tag
// says which (PacketTag::rendition). What cannot be encrypted is dropped: nothing of a protected
// output passes in the clear.
class ProtectStage final : public Stage {
 public:
  // What renditions of this stage are made with.
  const Ciphers& ciphers() const noexcept { return ciphers_; }

  // `streams`: most there will ever be. `device`: for renditions that have a session of it.
  ProtectStage(std::size_t streams, Ciphers ciphers, CryptoQueue* device = nullptr) noexcept;
  ~ProtectStage() override;

  // `pool`: for the packets of further renditions.
  void connect(Stage& next, rte_mempool* pool) noexcept {
    out_.emplace(next);
    pool_ = pool;
  }
  // Keys that go on, go on where they were; what there was is in `renditions` afterwards.
  void install(std::size_t stream, Renditions& renditions) noexcept;

  void process(std::span<rte_mbuf* const> burst, Instant now) noexcept override;
  // The turn's end: what waits to be encrypted together is, and leaves.
  void work() noexcept;
  // The same until nothing waits. A device that does not answer any more is the watchdog's.
  void finish() noexcept;

  std::uint64_t held() const noexcept { return batch_.size() + (device_ ? device_->size() : 0); }
  std::uint64_t created() const noexcept { return created_.get(); }
  // Packets encrypted of the stream, over all its renditions.
  std::uint64_t packets(std::size_t stream) const noexcept;
  // Packets of a rendition that could not be, and were dropped.
  std::uint64_t not_sealed(std::size_t stream) const noexcept {
    return streams_[stream].not_sealed.get();
  }
  void show_drops_to(Tap* tap) noexcept { bin_.show_to(tap, true); }
  const DropCounters& drops() const noexcept { return bin_.counters(); }

 private:
  void protect(rte_mbuf* packet, const PacketTag& tag) noexcept;
  void seal(rte_mbuf* packet, const PacketTag& tag, Rendition& rendition) noexcept;
  void seal_esp(rte_mbuf* packet, const PacketTag& tag, Rendition& rendition) noexcept;
  void refuse(rte_mbuf* packet, std::uint16_t stream, DropReason why) noexcept;
  bool may_seal(Rendition& rendition) noexcept;
  bool take_turn(Rendition& rendition) noexcept;
  void seal_gcm(rte_mbuf* packet, const SrtpPacket& rtp, const Rendition& rendition) noexcept;
  void seal_first() noexcept;
  void hand_over(const GcmJob& job, rte_mbuf* packet, const CryptoSession& session) noexcept;
  void take_from_device() noexcept;
  rte_mbuf* copy_of(const rte_mbuf* packet) noexcept;
  void lengthen(rte_mbuf* packet, const Rendition& rendition) noexcept;

  // NOLINTNEXTLINE(bugprone-unchecked-optional-access): connect() comes before any packet.
  Outlet& out() noexcept { return *out_; }

  std::optional<Outlet> out_;
  rte_mempool* pool_ = nullptr;
  Ciphers ciphers_;
  struct Stream {
    Renditions renditions;
    Rendition* esp = nullptr;  // where that is all that becomes of a packet
    Counter not_sealed;
  };
  std::vector<Stream> streams_;
  std::unique_ptr<DeviceSealer> device_;
  GcmQueue gcm_;                                      // empty but within process()
  std::array<rte_mbuf*, GcmQueue::kMost> sealing_{};  // as they are in it
  SrtpCmBatch batch_;
  struct Waiting {
    rte_mbuf* packet;
    const Rendition* rendition;
  };
  std::array<Waiting, SrtpCmBatch::kMost> waiting_{};  // as they are in the batch
  Instant now_;                                        // of the burst before
  Counter created_;
  DropBin bin_;
};

// Needs a processor with AES instructions, as was seen at the start.
std::unique_ptr<ProtectStage> make_protect_stage(std::size_t streams,
                                                 CryptoQueue* device = nullptr);

}  // namespace castgate
