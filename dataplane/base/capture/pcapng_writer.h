// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/base/instant.h"

namespace castgate {

struct PcapngInterface {
  std::string name;
  std::string description;
  std::uint32_t snap_length = 0;  // bytes; 0: frames are whole
};

struct PcapngPacket {
  unsigned interface = 0;  // as add_interface() numbered it
  Instant time;            // nanoseconds since 1970
  std::span<const std::byte> bytes;
  std::uint32_t wire_length = 0;
  std::string_view comment;  // none where empty
};

// Ethernet frames as pcapng (draft-ietf-opsawg-pcapng): one section, interfaces of nanoseconds,
// enhanced packets. Blocks go to the end of a buffer; whoever owns that empties it when they like.
class PcapngWriter {
 public:
  // Begins the section in `into`, which must outlive the writer.
  explicit PcapngWriter(std::vector<std::byte>& into);

  unsigned add_interface(const PcapngInterface& interface);
  void write(const PcapngPacket& packet);
  // What `interface` saw and what of it was not kept, once at the end.
  void write_statistics(unsigned interface, Instant time, std::uint64_t received,
                        std::uint64_t dropped);

 private:
  class Block;

  std::vector<std::byte>& into_;
  unsigned interfaces_ = 0;
};

}  // namespace castgate
