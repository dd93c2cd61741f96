// SPDX-License-Identifier: Apache-2.0
#include "controlplane/keys/epoch_ledger.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <map>
#include <spdlog/spdlog.h>

#include "controlplane/keys/key_lines.h"
#include "controlplane/keys/ssrc_ledger.h"

namespace castgate {
namespace {

// `spec`: a Spec, const or not.
void each_protected(auto& spec, const auto& each) {
  for (auto& stream : spec.streams) {
    const auto look = [&](auto& output) {
      if (output.protect.is_on()) each(output.protect);
    };
    std::ranges::for_each(stream.outputs, look);
    std::ranges::for_each(stream.unicasts, look);
  }
}

// The key that seals, by the file that it is from; null where that is not read yet.
SharedKey sealing_key(const Spec& running, const std::string& file) {
  SharedKey sealing;
  each_protected(running, [&](const ProtectSpec& protect) {
    if (protect.key_file != file || !protect.epochs) return;
    const auto at = std::ranges::find(protect.keys, protect.epochs->current(), &EpochKey::epoch);
    if (at != protect.keys.end()) sealing = at->key;
  });
  return sealing;
}

// That of the same keys, which a worker looks at already; null where they are others.
std::shared_ptr<EpochLease> running_lease(const Spec* running, const ProtectSpec& protect) {
  std::shared_ptr<EpochLease> lease;
  if (running == nullptr) return lease;
  each_protected(*running, [&](const ProtectSpec& other) {
    if (other.key_file == protect.key_file && other.keys == protect.keys) lease = other.epochs;
  });
  return lease;
}

std::vector<std::pair<std::uint32_t, std::string>> names_of(const ProtectSpec& protect) {
  std::vector<std::pair<std::uint32_t, std::string>> names;
  names.reserve(protect.keys.size());
  for (const EpochKey& key : protect.keys) names.emplace_back(key.epoch, key_name(*key.key));
  return names;
}

void complain(const Error& why) {
  spdlog::error("which keys have begun to seal is not remembered: {}", why.text);
}

}  // namespace

EpochLedger::EpochLedger(const std::string& state_dir)
    : path_((std::filesystem::path(state_dir) / "epochs").string()) {
  const auto known = read_key_lines(path_, [this](const std::string& key, std::uint64_t epoch) {
    begun_.insert(key);
    return epoch != 0;
  });
  if (known) return;
  fault_ = known.error();
  begun_.clear();
}

Result<void> EpochLedger::write() const {
  if (fault_) return std::unexpected(*fault_);
  std::string text;
  for (const std::string& key : begun_) text += fmt::format("{} 1\n", key);
  return write_key_lines(path_, text);
}

std::size_t EpochLedger::first_of(const ProtectSpec& protect, const Spec* running) const {
  const SharedKey sealing = running != nullptr ? sealing_key(*running, protect.key_file) : nullptr;
  std::size_t first = 0;
  for (std::size_t i = 0; i < protect.keys.size(); ++i) {
    const KeyBytes& key = *protect.keys[i].key;
    if (sealing && *sealing == key) return i;
    if (begun_.contains(key_name(key))) first = i;
  }
  return first;
}

void EpochLedger::assign(Spec& spec, const Spec* running) {
  const std::scoped_lock lock(mutex_);
  bool fresh = false;
  std::map<std::string, std::shared_ptr<EpochLease>> leases;
  std::vector<Held> held;
  each_protected(spec, [&](ProtectSpec& protect) {
    auto& lease = leases[protect.key_file];
    if (!lease) lease = running_lease(running, protect);
    if (!lease) {
      const EpochKey& first = protect.keys[first_of(protect, running)];
      lease = std::make_shared<EpochLease>(first.epoch, first.epoch);
      fresh |= begun_.insert(key_name(*first.key)).second;
      held.push_back({protect.key_file, names_of(protect), lease, first.epoch});
    }
    protect.epochs = lease;
  });
  // What runs may go on as it is, if what is wanted turns out to be refused.
  std::ranges::move(held_, std::back_inserter(held));
  std::erase_if(held, [](const Held& one) { return one.lease.use_count() == 1; });
  held_ = std::move(held);
  if (!fresh) return;
  if (const auto written = write(); !written) complain(written.error());
}

void EpochLedger::tell(Held& held) {
  const std::uint32_t current = held.lease->current();
  if (current != held.told) {
    spdlog::info("{}: the key of epoch {} seals from now on", held.file, current);
    held.told = current;
  }
  if (!held.lease->is_overdue() || held.told_overdue) return;
  held.told_overdue = true;
  spdlog::warn(
      "{}: the key of epoch {} should be replaced, and it is the last one: append another "
      "line, tell it to receivers, and reload (SIGHUP)",
      held.file, current);
}

void EpochLedger::turn() {
  if (busy_.load(std::memory_order_acquire)) return;
  // Nobody else writes held_ but assign(), which is this thread's.
  std::ranges::for_each(held_, tell);
  if (std::ranges::none_of(held_, &Held::wants)) return;
  busy_.store(true, std::memory_order_release);
  bulk_.give([this] {
    allow();
    busy_.store(false, std::memory_order_release);
  });
}

void EpochLedger::allow() {
  const std::scoped_lock lock(mutex_);
  std::vector<std::pair<EpochLease*, std::uint32_t>> wanted;
  for (const Held& one : held_) {
    if (!one.wants()) continue;
    for (const auto& [epoch, name] : one.names) {
      if (epoch > one.lease->allowed() && epoch <= one.lease->wanted()) begun_.insert(name);
    }
    wanted.emplace_back(one.lease.get(), one.lease->wanted());
  }
  if (wanted.empty()) return;
  if (const auto written = write(); !written) complain(written.error());
  for (const auto& [lease, epoch] : wanted) lease->allow(epoch);
}

}  // namespace castgate
