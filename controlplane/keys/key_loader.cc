// SPDX-License-Identifier: Apache-2.0
#include "controlplane/keys/key_loader.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <vector>

#include "controlplane/keys/key_file.h"
#include "pipelines/rules.h"

namespace castgate {
namespace {

struct Known {
  std::string file;  // as the pipeline names it
  SharedKey key;
};

class Loader {
 public:
  Loader(Reading& reading, std::string file, std::string directory)
      : reading_(reading), file_(std::move(file)), directory_(std::move(directory)) {}

  void load(ProtectSpec& protect, const std::string& path) {
    if (!protect.is_on()) return;
    const auto known = std::ranges::find(known_, protect.key_file, &Known::file);
    if (known != known_.end()) {
      protect.key = known->key;
      return;
    }
    auto key = read_key_file(place_of(protect.key_file), key_file_bytes(protect));
    if (!key) return complain(path, key.error().text);
    if (const Known* same = find(**key)) {
      return complain(path, fmt::format("{} holds the key of {}: each stream and each profile "
                                        "needs its own",
                                        protect.key_file, same->file));
    }
    protect.key = *key;
    known_.push_back({protect.key_file, *std::move(key)});
  }

  // After all that seal. Whoever only opens may share a key with others who do.
  void load(OpenSpec& open, const std::string& path) {
    if (!open.is_on()) return;
    auto key = read_key_file(place_of(open.key_file), key_file_bytes(open));
    if (!key) return complain(path, key.error().text);
    if (const Known* same = find(**key)) {
      return complain(path, fmt::format("{} holds the key that an output seals with ({}): two that "
                                        "seal under one key may give packets of both away",
                                        open.key_file, same->file));
    }
    open.key = *std::move(key);
  }

 private:
  std::string place_of(const std::string& named) const {
    const std::filesystem::path path(named);
    return path.is_absolute() ? named : (std::filesystem::path(directory_) / path).string();
  }
  const Known* find(const KeyBytes& key) const noexcept {
    const auto same =
        std::ranges::find_if(known_, [&](const Known& other) { return *other.key == key; });
    return same == known_.end() ? nullptr : &*same;
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
    for (LegSpec& leg : stream.legs) loader.load(leg.open, path_of(stream, leg) + ".open.key_file");
  }
}

}  // namespace castgate
