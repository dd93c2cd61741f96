// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "dataplane/base/capture/pcapng_writer.h"
#include "dataplane/contract/captured.h"
#include "dataplane/contract/spec.h"

namespace castgate {

// Captured packets as pcapng: an interface, named after the stage, per port or stream that one was
// seen at; a drop's reason is its packet's comment.
class StageCapture {
 public:
  StageCapture(const Spec& spec, std::uint32_t snaplen);
  StageCapture(const StageCapture&) = delete;
  StageCapture& operator=(const StageCapture&) = delete;

  void add(const CapturedPacket& packet);
  // The end: how many packets each interface has. What was missed of all of them stands with the
  // first, since nobody knows of which it was.
  void finish(std::uint64_t missed);

  std::uint64_t packets() const noexcept { return packets_; }
  // What was written since the last call: whole blocks.
  std::vector<std::byte> take();

 private:
  struct Interface {
    unsigned number = 0;
    std::uint64_t packets = 0;
  };

  Interface& interface_of(const CapturedPacket& packet);

  const Spec& spec_;
  std::uint32_t snaplen_;
  std::vector<std::byte> bytes_;
  PcapngWriter writer_{bytes_};
  std::map<std::pair<CaptureStage, std::uint32_t>, Interface> interfaces_;
  std::uint64_t packets_ = 0;
  Instant newest_;
};

}  // namespace castgate
