// SPDX-License-Identifier: Apache-2.0
#include "dataplane/capture/ring_tap.h"

namespace castgate {

void RingTap::start(const CaptureStart& wanted, ByteRing& ring) noexcept {
  set_stages(wanted.stages);
  filter_.set(wanted);
  ring_ = &ring;
  capture_ = wanted.number;
}

void RingTap::see(const Sighting& where, std::span<rte_mbuf* const> packets) noexcept {
  if (!wants(where.stage)) return;
  CapturedPacket about;
  for (const rte_mbuf* packet : packets) {
    if (!filter_.wants(where, packet, about)) continue;
    const std::uint32_t length = filter_.length_of(where, packet);
    if (ring_->room() < sizeof(Head) + length) {
      missed_.add();
      continue;
    }
    const Head head{.length = length,
                    .wire_length = about.wire_length,
                    .at = now().ns,
                    .port = about.port,
                    .stream = about.stream,
                    .capture = capture_,
                    .stage = about.stage,
                    .reason = about.reason};
    ring_->write(std::as_bytes(std::span(&head, 1)));
    for_each_piece(packet, length, [&](std::span<const std::byte> bytes) { ring_->write(bytes); });
    ring_->publish();
  }
}

bool RingTap::take(ByteRing& ring, std::uint16_t capture, CapturedPacket& packet) {
  while (ring.waiting() != 0) {
    Head head;
    ring.read(std::as_writable_bytes(std::span(&head, 1)));
    packet.bytes.resize(head.length);
    ring.read(packet.bytes);
    if (head.capture != capture) continue;
    packet.stage = head.stage;
    packet.reason = head.reason;
    packet.port = head.port;
    packet.stream = head.stream;
    packet.wire_length = head.wire_length;
    packet.at = {head.at};
    return true;
  }
  return false;
}

}  // namespace castgate
