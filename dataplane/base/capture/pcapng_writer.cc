// SPDX-License-Identifier: Apache-2.0
#include "dataplane/base/capture/pcapng_writer.h"

#include <algorithm>
#include <cstring>

namespace castgate {
namespace {

constexpr std::uint32_t kSectionHeader = 0x0a0d0d0a;
constexpr std::uint32_t kInterfaceDescription = 1;
constexpr std::uint32_t kInterfaceStatistics = 5;
constexpr std::uint32_t kEnhancedPacket = 6;
constexpr std::uint32_t kByteOrder = 0x1a2b3c4d;
constexpr std::uint64_t kLengthUnknown = UINT64_MAX;
constexpr std::uint16_t kEthernet = 1;
constexpr std::uint8_t kNanoseconds = 9;  // 10^-9 s

constexpr std::uint16_t kEndOfOptions = 0;
constexpr std::uint16_t kComment = 1;
constexpr std::uint16_t kUserApplication = 4;    // of a section
constexpr std::uint16_t kInterfaceName = 2;      // of an interface
constexpr std::uint16_t kInterfaceAbout = 3;     // the same
constexpr std::uint16_t kTimeResolution = 9;     // the same
constexpr std::uint16_t kInterfaceReceived = 4;  // of statistics
constexpr std::uint16_t kInterfaceDropped = 5;   // the same
constexpr std::size_t kLongestOption = UINT16_MAX - 3;

}  // namespace

// A block in the making: its length is known, and written at both ends, when it is finished.
class PcapngWriter::Block {
 public:
  Block(std::vector<std::byte>& into, std::uint32_t type) : into_(into), begin_(into.size()) {
    put(type);
    put(std::uint32_t{0});
  }
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  ~Block() {
    if (has_options_) {
      put(kEndOfOptions);
      put(std::uint16_t{0});
    }
    const auto length = static_cast<std::uint32_t>(into_.size() - begin_ + sizeof(std::uint32_t));
    put(length);
    std::memcpy(&into_[begin_ + sizeof(std::uint32_t)], &length, sizeof length);
  }

  template <class Number>
  void put(Number value) {
    put_bytes(std::as_bytes(std::span(&value, 1)));
  }
  void put_time(Instant time) {
    const auto at = static_cast<std::uint64_t>(std::max<std::int64_t>(time.ns, 0));
    put(static_cast<std::uint32_t>(at >> 32));
    put(static_cast<std::uint32_t>(at));
  }
  // Filled up to a multiple of 4.
  void put_padded(std::span<const std::byte> bytes) {
    put_bytes(bytes);
    into_.resize(into_.size() + (4 - bytes.size() % 4) % 4);
  }
  void option(std::uint16_t code, std::span<const std::byte> value) {
    value = value.first(std::min(value.size(), kLongestOption));
    has_options_ = true;
    put(code);
    put(static_cast<std::uint16_t>(value.size()));
    put_padded(value);
  }
  void option(std::uint16_t code, std::string_view text) {
    if (!text.empty()) option(code, std::as_bytes(std::span(text)));
  }
  template <class Number>
  void option_number(std::uint16_t code, Number value) {
    option(code, std::as_bytes(std::span(&value, 1)));
  }

 private:
  void put_bytes(std::span<const std::byte> bytes) {
    into_.insert(into_.end(), bytes.begin(), bytes.end());
  }

  std::vector<std::byte>& into_;
  std::size_t begin_;
  bool has_options_ = false;
};

PcapngWriter::PcapngWriter(std::vector<std::byte>& into) : into_(into) {
  Block block(into_, kSectionHeader);
  block.put(kByteOrder);
  block.put(std::uint16_t{1});
  block.put(std::uint16_t{0});
  block.put(kLengthUnknown);
  block.option(kUserApplication, "castgate");
}

unsigned PcapngWriter::add_interface(const PcapngInterface& interface) {
  Block block(into_, kInterfaceDescription);
  block.put(kEthernet);
  block.put(std::uint16_t{0});
  block.put(interface.snap_length);
  block.option(kInterfaceName, interface.name);
  block.option(kInterfaceAbout, interface.description);
  block.option_number(kTimeResolution, kNanoseconds);
  return interfaces_++;
}

void PcapngWriter::write(const PcapngPacket& packet) {
  Block block(into_, kEnhancedPacket);
  block.put(static_cast<std::uint32_t>(packet.interface));
  block.put_time(packet.time);
  block.put(static_cast<std::uint32_t>(packet.bytes.size()));
  block.put(packet.wire_length);
  block.put_padded(packet.bytes);
  block.option(kComment, packet.comment);
}

void PcapngWriter::write_statistics(unsigned interface, Instant time, std::uint64_t received,
                                    std::uint64_t dropped) {
  Block block(into_, kInterfaceStatistics);
  block.put(static_cast<std::uint32_t>(interface));
  block.put_time(time);
  block.option_number(kInterfaceReceived, received);
  block.option_number(kInterfaceDropped, dropped);
}

}  // namespace castgate
