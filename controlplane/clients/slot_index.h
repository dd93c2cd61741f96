// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/container_hash/hash.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <cstdint>
#include <deque>
#include <optional>
#include <type_traits>

#include "controlplane/clients/client_entry.h"
#include "dataplane/base/check.h"

namespace castgate {

// Finds slots by a key that is in their clients: it keeps nothing but the slot. Clients that are in
// it keep their key.
template <auto kKeyOf>
class SlotIndex {
 public:
  using Key = std::remove_cvref_t<std::invoke_result_t<decltype(kKeyOf), const ClientEntry&>>;

  explicit SlotIndex(const std::deque<ClientEntry>& clients)
      : slots_(0, Hash{&clients}, Equal{&clients}) {}

  std::optional<std::uint32_t> find(const Key& key) const {
    const auto found = slots_.find(key);
    return found == slots_.end() ? std::nullopt : std::optional(*found);
  }
  // The key is there.
  std::uint32_t at(const Key& key) const {
    const auto found = slots_.find(key);
    CG_CHECK(found != slots_.end());
    return *found;
  }
  // Its key is in no other slot that is in here.
  void insert(std::uint32_t slot) { slots_.insert(slot); }
  void erase(std::uint32_t slot) { slots_.erase(slot); }

 private:
  struct Hash {
    using is_transparent = void;
    const std::deque<ClientEntry>* clients;
    std::size_t operator()(const Key& key) const { return boost::hash<Key>()(key); }
    std::size_t operator()(std::uint32_t slot) const { return (*this)(kKeyOf((*clients)[slot])); }
  };
  struct Equal {
    using is_transparent = void;
    const std::deque<ClientEntry>* clients;
    bool operator()(std::uint32_t one, std::uint32_t other) const { return one == other; }
    bool operator()(std::uint32_t slot, const Key& key) const {
      return kKeyOf((*clients)[slot]) == key;
    }
    bool operator()(const Key& key, std::uint32_t slot) const { return (*this)(slot, key); }
  };

  boost::unordered_flat_set<std::uint32_t, Hash, Equal> slots_;
};

}  // namespace castgate
