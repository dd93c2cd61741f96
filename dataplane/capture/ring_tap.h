// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dataplane/base/byte_ring.h"
#include "dataplane/base/counter.h"
#include "dataplane/capture/capture_filter.h"

namespace castgate {

// Copies what it sees into a ring of bytes for the control thread. What finds the ring full is
// counted and not copied: no worker waits for whoever reads a capture.
class RingTap final : public Tap {
 public:
  explicit RingTap(const Spec& spec, std::size_t streams = 0) : Tap(0), filter_(spec, streams) {}

  void start(const CaptureStart& wanted, ByteRing& ring) noexcept;
  void set_facts(std::size_t stream, const CaptureFilter::Facts& facts) noexcept {
    filter_.set_facts(stream, facts);
  }
  void see(const Sighting& where, std::span<rte_mbuf* const> packets) noexcept override;

  std::uint64_t missed() const noexcept { return missed_.get(); }  // for any thread

  // The reader's side: the next packet of this capture, at the worker's time. False where none
  // waits; what is left of an earlier capture is thrown away.
  static bool take(ByteRing& ring, std::uint16_t capture, CapturedPacket& packet);

 private:
  // What stands before a packet's bytes in the ring.
  struct Head {
    std::uint32_t length;  // of the bytes
    std::uint32_t wire_length;
    std::int64_t at;
    std::uint16_t port;
    std::uint16_t stream;
    std::uint16_t capture;
    CaptureStage stage;
    DropReason reason;
  };

  CaptureFilter filter_;
  ByteRing* ring_ = nullptr;
  std::uint16_t capture_ = 0;
  Counter missed_;
};

}  // namespace castgate
