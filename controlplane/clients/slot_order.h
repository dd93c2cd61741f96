// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "controlplane/clients/client_entry.h"

namespace castgate {

// Where a client stands in the order of the table, whether it is there or not.
struct ClientPosition {
  OutputName name;
  Endpoint client;
  auto operator<=>(const ClientPosition&) const = default;
};

// Slots by their clients' output and address, in order while they come and go: 4 to 8 bytes each,
// in parts of some hundred, so that one that comes moves no more than a part. Clients that are in
// it keep their names and addresses.
class SlotOrder {
 public:
  static constexpr std::size_t kMostOfPart = 512;

  explicit SlotOrder(const std::deque<ClientEntry>& clients) : clients_(clients) {}

  // Its client's place is nobody else's.
  void insert(std::uint32_t slot);
  void erase(std::uint32_t slot);

  // Calls `visit(client)` from the first that is not before `from`, until it says false.
  template <class Visit>
  void walk_from(const OutputName& name, const Endpoint& from, Visit visit) const {
    Place place = place_of(name, from);
    for (; place.part < parts_.size(); place = {place.part + 1, 0}) {
      const std::vector<std::uint32_t>& part = parts_[place.part];
      for (std::size_t at = place.at; at < part.size(); ++at)
        if (!visit(clients_[part[at]])) return;
    }
  }
  template <class Visit>
  void walk(Visit visit) const {
    for (const std::vector<std::uint32_t>& part : parts_)
      for (const std::uint32_t slot : part) visit(clients_[slot]);
  }

 private:
  struct Place {
    std::size_t part;
    std::size_t at;
  };
  // The first slot that is not before; in the last part at least, where there is any.
  Place place_of(const OutputName& name, const Endpoint& client) const;
  bool is_before(std::uint32_t slot, const OutputName& name, const Endpoint& client) const;
  void split(std::size_t part);

  const std::deque<ClientEntry>& clients_;
  std::vector<std::vector<std::uint32_t>> parts_;  // none is empty
};

}  // namespace castgate
