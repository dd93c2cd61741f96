// SPDX-License-Identifier: Apache-2.0
#include "controlplane/keys/number_ledger.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <limits>
#include <openssl/rand.h>
#include <spdlog/spdlog.h>

#include "controlplane/keys/key_lines.h"
#include "controlplane/keys/ssrc_ledger.h"

namespace castgate {
namespace {

constexpr std::uint64_t kAll = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t kShortNumbers = std::uint64_t{1} << 32;  // without ESN

// `protect`: const or not.
void each_key(auto& protect, const auto& each) {
  if (!protect.is_esp() || protect.is_isolated()) return;
  const std::uint32_t first = protect.epochs ? protect.epochs->current() : 0;
  for (auto& key : protect.keys) {
    if (key.epoch >= first) each(protect, key);
  }
}

// Each key that seals or will. `spec`: a Spec, const or not.
void each_esp(auto& spec, const auto& each) {
  for (auto& stream : spec.streams) {
    for (auto& output : stream.outputs) each_key(output.protect, each);
    for (auto& output : stream.unicasts) each_key(output.protect, each);
  }
}

std::uint64_t chance() {
  std::uint64_t made = 0;
  RAND_bytes(reinterpret_cast<unsigned char*>(&made), sizeof made);
  return made;
}

bool may_seal(const EpochLease* epochs, std::uint32_t epoch) noexcept {
  return epochs == nullptr || epoch <= std::max(epochs->allowed(), epochs->current());
}

}  // namespace

bool NumberLedger::Held::is_low() const noexcept {
  if (!may_seal(epochs.get(), epoch) || (epochs && epoch < epochs->current())) return false;
  return lease->end() - lease->next() < kBlock / 2;
}

NumberLedger::NumberLedger(const std::string& state_dir)
    : path_((std::filesystem::path(state_dir) / "esp").string()) {
  const auto known = read_key_lines(path_, [this](const std::string& key, std::uint64_t end) {
    ends_[key] = end;
    return end != 0;
  });
  if (!known) fault_ = known.error();
}

Result<void> NumberLedger::write() const {
  if (fault_) return std::unexpected(*fault_);
  std::string text;
  for (const auto& [key, end] : ends_) text += fmt::format("{} {:016x}\n", key, end);
  return write_key_lines(path_, text);
}

void NumberLedger::complain(const Error& why) {
  spdlog::error(
      "sequence numbers of ESP are not remembered, and receivers may refuse packets after "
      "the next start: {}",
      why.text);
}

std::shared_ptr<NumberLease> NumberLedger::begin(const ProtectSpec& protect,
                                                 const std::string& name, bool may_seal) {
  std::uint64_t& end = ends_.try_emplace(name, 1).first->second;
  if (!protect.esn && end >= kShortNumbers) {
    spdlog::error("{}: all its 2^32 sequence numbers are used; a new key is needed, or esn: true",
                  protect.key_file);
  }
  if (!may_seal) return std::make_shared<NumberLease>(end, end);
  auto lease = std::make_shared<NumberLease>(end, end + kBlock);
  end += kBlock;
  return lease;
}

void NumberLedger::assign(Spec& spec, const Spec* running) {
  const std::scoped_lock lock(mutex_);
  held_.clear();
  std::map<std::string, std::shared_ptr<NumberLease>> had;
  const Spec none;
  // What runs may go on as it is, if what is wanted turns out to be refused.
  each_esp(running == nullptr ? none : *running, [&](const auto& protect, const EpochKey& key) {
    const std::string name = key_name(*key.key);
    had[name] = key.numbers;
    held_.push_back({name, key.numbers, protect.epochs, key.epoch});
  });
  std::vector<std::shared_ptr<NumberLease>> fresh;
  each_esp(spec, [&](const ProtectSpec& protect, EpochKey& key) {
    const std::string name = key_name(*key.key);
    const bool seals = may_seal(protect.epochs.get(), key.epoch);
    auto& lease = had[name];
    if (!lease) {
      lease = begin(protect, name, seals);
      if (seals) fresh.push_back(lease);
    }
    key.numbers = lease;
    held_.push_back({name, lease, protect.epochs, key.epoch});
  });
  if (fresh.empty()) return;
  const auto written = write();
  if (written) return;
  complain(written.error());
  for (const auto& lease : fresh) lease->stray(chance(), kAll);
}

void NumberLedger::turn() {
  if (busy_.load(std::memory_order_acquire)) return;
  // Nobody else writes held_ but assign(), which is this thread's.
  if (std::ranges::none_of(held_, &Held::is_low)) return;
  busy_.store(true, std::memory_order_release);
  bulk_.give([this] {
    extend();
    busy_.store(false, std::memory_order_release);
  });
}

void NumberLedger::extend() {
  const std::scoped_lock lock(mutex_);
  std::vector<Held*> low;
  for (Held& one : held_) {
    if (!one.is_low()) continue;
    low.push_back(&one);
    ends_[one.name] = one.lease->end() + kBlock;
  }
  if (low.empty()) return;
  const auto written = write();
  if (!written) complain(written.error());
  for (const Held* one : low) {
    if (written) {
      one->lease->extend(ends_[one->name]);
    } else {
      one->lease->stray(chance(), kAll);
    }
  }
}

}  // namespace castgate
