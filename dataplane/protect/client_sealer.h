// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "dataplane/contract/drop_reason.h"
#include "dataplane/contract/spec.h"
#include "dataplane/protect/client_seal.h"

namespace castgate {

// How an output seals for each of its clients apart; one that does not say nothing.
class ClientSealing {
 public:
  ClientSealing() = default;
  explicit ClientSealing(const ProtectSpec& spec) noexcept;

  bool is_on() const noexcept { return profile_ != ProtectProfile::None; }
  ProtectProfile profile() const noexcept { return profile_; }
  // Bytes that a payload of `clear` leaves as, and that its buffer needs to become so.
  unsigned sealed(unsigned clear) const noexcept { return clear + growth_; }
  unsigned room(unsigned clear) const noexcept { return clear + room_; }
  bool operator==(const ClientSealing&) const = default;

 private:
  ProtectProfile profile_ = ProtectProfile::None;
  std::uint8_t growth_ = 0;
  std::uint8_t room_ = 0;
};

// A clear packet for many clients, each of whom gets it sealed with a key of its own: the
// encryption is the copy. One worker's.
class ClientSealer {
 public:
  static constexpr unsigned kMost = 32;  // copies at a time
  static constexpr unsigned kAhead = 2;  // whose keys are fetched before they are needed

  explicit ClientSealer(Ciphers ciphers) noexcept : ciphers_(std::move(ciphers)) {}

  // For the first kAhead of the copies that seal() will make next.
  static void fetch(const ClientSealing& sealing, const ClientSeal& seal) noexcept;

  struct Copy {
    ClientSeal* seal;
    std::byte* to;        // ClientSealing::room() bytes
    bool sealed = false;  // else nothing may leave: no number is left
  };
  // Of at most kMost. A reason: none was sealed, since no client can have such a packet.
  std::optional<DropReason> seal(const ClientSealing& sealing, std::span<const std::byte> clear,
                                 std::span<Copy> copies) noexcept;

 private:
  struct Clear {
    const std::byte* at;
    std::size_t length;
    std::size_t header;
  };
  void seal_gcm(const Clear& clear, std::span<Copy> copies) noexcept;
  void seal_cm(const Clear& clear, std::span<Copy> copies) noexcept;
  static SrtpPacket begin(const Clear& clear, const Copy& copy, std::uint64_t index) noexcept;

  Ciphers ciphers_;
  GcmQueue gcm_;  // empty but within seal()
  SrtpCmBatch cm_;
};

// Needs a processor with AES instructions, as was seen at the start.
std::unique_ptr<ClientSealer> make_client_sealer();

}  // namespace castgate
