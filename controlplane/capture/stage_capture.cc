// SPDX-License-Identifier: Apache-2.0
#include "controlplane/capture/stage_capture.h"

#include <algorithm>

namespace castgate {

StageCapture::StageCapture(const Spec& spec, std::uint32_t snaplen)
    : spec_(spec), snaplen_(snaplen == UINT32_MAX ? 0 : snaplen) {}

StageCapture::Interface& StageCapture::interface_of(const CapturedPacket& packet) {
  const std::pair key{packet.stage, std::uint32_t{packet.port} << 16 | packet.stream};
  if (const auto known = interfaces_.find(key); known != interfaces_.end()) return known->second;
  PcapngInterface made;
  made.name = kCaptureStageNames[static_cast<std::size_t>(packet.stage)];
  made.snap_length = snaplen_;
  if (packet.port < spec_.ports.size()) {
    made.description = "port " + spec_.ports[packet.port].name;
  } else if (packet.stream < spec_.streams.size()) {
    made.description = "stream " + spec_.streams[packet.stream].name;
  }
  return interfaces_[key] = {.number = writer_.add_interface(made), .packets = 0};
}

void StageCapture::add(const CapturedPacket& packet) {
  Interface& interface = interface_of(packet);
  ++interface.packets;
  ++packets_;
  newest_ = std::max(newest_, packet.at);
  const bool dropped = packet.reason != DropReason::kCount;
  writer_.write({.interface = interface.number,
                 .time = packet.at,
                 .bytes = packet.bytes,
                 .wire_length = packet.wire_length,
                 .comment = dropped ? name_of(packet.reason) : std::string_view{}});
}

void StageCapture::finish(std::uint64_t missed) {
  for (const auto& [key, interface] : interfaces_) {
    const std::uint64_t lost = interface.number == 0 ? missed : 0;
    writer_.write_statistics(interface.number, newest_, interface.packets + lost, lost);
  }
}

std::vector<std::byte> StageCapture::take() {
  return std::exchange(bytes_, {});
}

}  // namespace castgate
