// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>

#include "dataplane/base/esp/esp_gcm.h"
#include "dataplane/contract/spec.h"
#include "dataplane/replicate/header_writer.h"
#include "dataplane/stage.h"

namespace castgate {

// Packets of one key as ESP: new headers inside (of transport mode UDP's alone), which are
// encrypted with the payload. What then lies before the ESP packet are headers as of UDP, from
// which replicate takes over what goes outside. One owner, whose numbers never repeat.
class EspSealer {
 public:
  // Of a spec that is_esp(), one of its keys.
  EspSealer(const Ciphers& ciphers, const ProtectSpec& spec, const EpochKey& key);

  // All but the encryption, which is the job's seal(): in place, for which the buffer needs room on
  // both sides. The packet gets `tag`, with the places of its new frame. A reason: it is as it was,
  // and may not leave.
  std::optional<DropReason> prepare(GcmJob& job, rte_mbuf* packet, PacketTag tag) noexcept;

  // Goes on where `old` ended, which is the same key; it gets the numbers that this one had.
  void inherit(EspSealer& old) noexcept;

  // Is there a number for another packet?
  bool has_numbers() const noexcept { return numbers_.has_more(); }
  // Nothing is sealed any more.
  void wipe() noexcept { wipe_secret(*esp_); }

 private:
  // Headers as of UDP over untagged IPv4: PacketTag::kPlain.
  static constexpr unsigned kFront = 42;
  // Those, ESP's, and of a packet inside those of IPv4 and UDP.
  static constexpr unsigned kPlain = kFront + EspShape::kHead + 28;

  DropReason why_none() const noexcept;
  void write_plain(std::uint8_t* payload, std::size_t length,
                   const ReceivedHeaders& received) noexcept;
  void write_any(std::uint8_t* payload, std::size_t length,
                 const ReceivedHeaders& received) noexcept;

  HeaderTemplate inner_;
  alignas(16) std::array<std::uint8_t, kPlain> block_{};  // of a plain one, ready to be written
  std::uint8_t next_header_;
  bool plain_ = false;
  Secret<EspGcm> esp_;
  NumberTaker numbers_;
  std::uint32_t spi_;
  unsigned headers_ = 0;  // bytes that are encrypted before the payload
  LongHeader long_inner_{};
};

}  // namespace castgate
