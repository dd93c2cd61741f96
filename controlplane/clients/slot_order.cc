// SPDX-License-Identifier: Apache-2.0
#include "controlplane/clients/slot_order.h"

#include <algorithm>

#include "dataplane/base/check.h"

namespace castgate {
namespace {

constexpr std::size_t kHalf = SlotOrder::kMostOfPart / 2;

}  // namespace

bool SlotOrder::is_before(std::uint32_t slot, const OutputName& name,
                          const Endpoint& client) const {
  const ClientEntry& entry = clients_[slot];
  if (entry.name == &name) return entry.route.to < client;
  const auto order = *entry.name <=> name;
  return order != 0 ? order < 0 : entry.route.to < client;
}

SlotOrder::Place SlotOrder::place_of(const OutputName& name, const Endpoint& client) const {
  if (parts_.empty()) return {0, 0};
  const auto before = [&](std::uint32_t slot) { return is_before(slot, name, client); };
  const auto part = std::partition_point(parts_.begin(), parts_.end() - 1,
                                         [&](const auto& one) { return before(one.back()); });
  const auto at = std::partition_point(part->begin(), part->end(), before);
  return {static_cast<std::size_t>(part - parts_.begin()),
          static_cast<std::size_t>(at - part->begin())};
}

// Both halves as large as what they hold: clients may come in any order.
void SlotOrder::split(std::size_t part) {
  std::vector<std::uint32_t>& whole = parts_[part];
  const auto middle = whole.begin() + static_cast<std::ptrdiff_t>(kHalf);
  std::vector<std::uint32_t> lower(whole.begin(), middle);
  std::vector<std::uint32_t> upper(middle, whole.end());
  whole = std::move(lower);
  parts_.insert(parts_.begin() + static_cast<std::ptrdiff_t>(part) + 1, std::move(upper));
}

void SlotOrder::insert(std::uint32_t slot) {
  const ClientEntry& client = clients_[slot];
  if (parts_.empty()) parts_.emplace_back();
  Place place = place_of(*client.name, client.route.to);
  if (parts_[place.part].size() == kMostOfPart) {
    const bool is_last = place.part + 1 == parts_.size() && place.at == kMostOfPart;
    if (is_last) {  // addresses in a row leave full parts
      parts_.emplace_back();
    } else {
      split(place.part);
    }
    place = is_last ? Place{parts_.size() - 1, 0} : place_of(*client.name, client.route.to);
  }
  std::vector<std::uint32_t>& part = parts_[place.part];
  part.insert(part.begin() + static_cast<std::ptrdiff_t>(place.at), slot);
}

void SlotOrder::erase(std::uint32_t slot) {
  const ClientEntry& client = clients_[slot];
  const Place place = place_of(*client.name, client.route.to);
  CG_CHECK(place.part < parts_.size() && place.at < parts_[place.part].size() &&
           parts_[place.part][place.at] == slot);
  std::vector<std::uint32_t>& part = parts_[place.part];
  part.erase(part.begin() + static_cast<std::ptrdiff_t>(place.at));
  if (part.empty()) parts_.erase(parts_.begin() + static_cast<std::ptrdiff_t>(place.part));
}

}  // namespace castgate
