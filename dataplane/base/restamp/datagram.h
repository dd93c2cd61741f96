// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "dataplane/base/restamp/splicer.h"
#include "dataplane/base/rtp/header.h"
#include "dataplane/base/sequence/generic.h"

namespace castgate {

// Where the headers of a frame stand, bytes from its start. The UDP payload begins at udp_at + 8.
struct HeaderPlaces {
  unsigned l3_at = 14;
  unsigned udp_at = 34;
  bool v6 = false;

  unsigned payload_at() const noexcept { return udp_at + 8; }
};

// An RTP header that is written new: no CSRC, extension, padding or marker.
struct RtpStamp {
  std::uint8_t payload_type = 33;
  std::uint32_t ssrc = 0;
  RtpNumbers numbers;
};

// Edits of a frame that is one piece in memory. Lengths and checksums stay as right or wrong as
// they were: they follow the change and are not summed anew; a UDP checksum of zero stays zero.

// Numbers and SSRC of an RTP packet; `extended_at`: where in the UDP payload the high half of the
// sequence number stands, 0 where it has none. The caller has seen that all this is there.
void write_rtp_numbers(std::byte* frame, const HeaderPlaces& at, const RtpStamp& stamp,
                       std::size_t extended_at) noexcept;

// A number in the UDP payload, of which the caller has seen that it is there.
void write_number(std::byte* frame, const HeaderPlaces& at, const SequenceField& field,
                  std::uint64_t value) noexcept;

// The lengths of a datagram of `udp_length` bytes, UDP header included; checksums stay.
void write_lengths(std::byte* frame, const HeaderPlaces& at, std::size_t udp_length) noexcept;

// Puts an RTP header before the UDP payload and moves the headers towards the front: the frame
// begins kRtpHeader bytes before `frame`, where there must be room for it.
void insert_rtp(std::byte* frame, const HeaderPlaces& at, const RtpStamp& stamp) noexcept;

// Takes header and padding of the RTP packet off, of which `rtp` tells the lengths, and moves the
// headers towards the back: the frame begins rtp.header bytes after `frame` and ends rtp.padding
// bytes before its old end. `length`: of the UDP payload.
void strip_rtp(std::byte* frame, const HeaderPlaces& at, std::size_t length,
               const RtpFrame& rtp) noexcept;

}  // namespace castgate
