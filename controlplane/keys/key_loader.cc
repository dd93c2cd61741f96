// SPDX-License-Identifier: Apache-2.0
#include "controlplane/keys/key_loader.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <map>
#include <optional>
#include <tuple>
#include <vector>

#include "controlplane/keys/key_file.h"
#include "pipelines/rules.h"

namespace castgate {
namespace {

struct Known {
  std::string file;  // as the pipeline names it
  std::vector<EpochKey> keys;
};

// What of a set of keys an output cannot seal with.
std::optional<std::string> fault_of(const ProtectSpec& protect, const std::vector<EpochKey>& keys) {
  if (protect.is_isolated() && keys.size() != 1)
    return fmt::format("holds {} keys: of per_client one makes those of clients", keys.size());
  return fault_of_keys(keys, teller_of(protect));
}

class Loader {
 public:
  Loader(Reading& reading, std::string file, std::string directory)
      : reading_(reading), file_(std::move(file)), directory_(std::move(directory)) {}

  void load(ProtectSpec& protect, const std::string& path) {
    if (!protect.is_on()) return;
    const auto known = std::ranges::find(known_, protect.key_file, &Known::file);
    if (known != known_.end()) {
      protect.keys = known->keys;
      return;
    }
    auto keys = read_key_file(place_of(protect.key_file), key_file_bytes(protect));
    if (!keys) return complain(path, keys.error().text);
    if (const auto fault = fault_of(protect, *keys))
      return complain(path, fmt::format("{} {}", protect.key_file, *fault));
    if (const Known* same = find(*keys)) {
      return complain(path, fmt::format("{} holds a key of {}: each stream and each profile "
                                        "needs its own",
                                        protect.key_file, same->file));
    }
    check_spis(protect, *keys, path);
    protect.keys = *keys;
    known_.push_back({protect.key_file, *std::move(keys)});
  }

  // After all that seal. Whoever only opens may share a key with others who do.
  void load(LegSpec& leg, const std::string& path) {
    OpenSpec& open = leg.open;
    if (!open.is_on()) return;
    auto keys = read_key_file(place_of(open.key_file), key_file_bytes(open));
    if (!keys) return complain(path, keys.error().text);
    if (const auto fault = fault_of_keys(*keys, teller_of(open)))
      return complain(path, fmt::format("{} {}", open.key_file, *fault));
    if (const Known* same = find(*keys)) {
      return complain(path, fmt::format("{} holds the key that an output seals with ({}): two that "
                                        "seal under one key may give packets of both away",
                                        open.key_file, same->file));
    }
    open.keys = *std::move(keys);
    check_flows(leg, path);
  }

 private:
  std::string place_of(const std::string& named) const {
    const std::filesystem::path path(named);
    return path.is_absolute() ? named : (std::filesystem::path(directory_) / path).string();
  }
  // Whose file has one of these as well.
  const Known* find(const std::vector<EpochKey>& keys) const noexcept {
    const auto same = std::ranges::find_if(known_, [&](const Known& other) {
      return std::ranges::find_first_of(other.keys, keys, [](const auto& one, const auto& two) {
               return *one.key == *two.key;
             }) != other.keys.end();
    });
    return same == known_.end() ? nullptr : &*same;
  }
  // That of each epoch is its own.
  void check_spis(const ProtectSpec& protect, const std::vector<EpochKey>& keys,
                  const std::string& path) {
    if (!protect.is_esp()) return;
    for (const EpochKey& key : keys) {
      const std::uint32_t spi = spi_of(protect, key.epoch);
      const auto [at, is_new] = spis_.try_emplace(spi, protect.key_file);
      if (is_new) continue;
      return complain(path, fmt::format("epoch {} of {} has SPI {:#x}, which {} has already: "
                                        "protect.spi further apart",
                                        key.epoch, protect.key_file, spi, at->second));
    }
  }
  // IP protocol 50: what tells the packets of legs apart, in each epoch.
  void check_flows(const LegSpec& leg, const std::string& path) {
    if (!leg.open.is_raw_esp()) return;
    for (const EpochKey& key : leg.open.keys) {
      const std::uint32_t spi = leg.open.spi_of(key.epoch);
      const auto [at, is_new] = flows_.try_emplace(
          Flow{leg.port, leg.vlan, leg.to.address, leg.from, spi}, leg.open.key_file);
      if (is_new) continue;
      return complain(path,
                      fmt::format("epoch {} of {} has SPI {:#x}, which at this address {} has "
                                  "already: open.spi further apart",
                                  key.epoch, leg.open.key_file, spi, at->second));
    }
  }
  void complain(const std::string& path, std::string what) {
    reading_.errors.push_back({.severity = Severity::Error,
                               .file = file_,
                               .place = reading_.places.find(path),
                               .key = path,
                               .what = std::move(what)});
  }

  Reading& reading_;
  std::string file_;
  std::string directory_;
  std::vector<Known> known_;
  std::map<std::uint32_t, std::string> spis_;  // the key file
  using Flow = std::tuple<unsigned, VlanTags, IpAddress, std::optional<IpAddress>, std::uint32_t>;
  std::map<Flow, std::string> flows_;  // of legs; the key file
};

}  // namespace

void load_keys(Reading& reading, const std::string& file, const std::string& directory) {
  if (!reading.good()) return;
  Loader loader(reading, file, directory);
  for (StreamSpec& stream : reading.spec.streams) {
    const auto load = [&](auto& output) {
      loader.load(output.protect, path_of(stream, output) + ".protect.key_file");
    };
    std::ranges::for_each(stream.outputs, load);
    std::ranges::for_each(stream.unicasts, load);
  }
  for (StreamSpec& stream : reading.spec.streams) {
    for (LegSpec& leg : stream.legs) loader.load(leg, path_of(stream, leg) + ".open.key_file");
  }
}

}  // namespace castgate
