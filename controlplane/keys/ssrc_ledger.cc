// SPDX-License-Identifier: Apache-2.0
#include "controlplane/keys/ssrc_ledger.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fmt/format.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <optional>
#include <spdlog/spdlog.h>
#include <string_view>

#include "controlplane/keys/key_lines.h"
#include "controlplane/store/durable_file.h"

namespace castgate {
namespace {

// Those whose packets an SSRC keeps apart: that seal or will.
std::vector<const KeyBytes*> keys_of(const StreamSpec& stream) {
  std::vector<const KeyBytes*> keys;
  const auto add = [&](const auto& output) {
    const ProtectSpec& protect = output.protect;
    if (!protect.is_srtp() || protect.is_isolated()) return;
    const std::uint32_t first = protect.epochs ? protect.epochs->current() : 0;
    for (const EpochKey& key : protect.keys) {
      if (key.epoch >= first) keys.push_back(key.key.get());
    }
  };
  std::ranges::for_each(stream.outputs, add);
  std::ranges::for_each(stream.unicasts, add);
  return keys;
}

bool has_srtp(const StreamSpec& stream) {
  return !keys_of(stream).empty();
}

// The SSRC with which the stream runs, if it may go on: each key seals with it now, or `is_free`
// to.
std::optional<std::uint32_t> same_in(const Spec* running, const StreamSpec& stream,
                                     const auto& is_free) {
  if (running == nullptr) return std::nullopt;
  const auto at = std::ranges::find(running->streams, stream.name, &StreamSpec::name);
  if (at == running->streams.end()) return std::nullopt;
  const auto had = keys_of(*at);
  const std::uint32_t ssrc = ssrc_of(*at);
  const bool all = !had.empty() && std::ranges::all_of(keys_of(stream), [&](const KeyBytes* key) {
    const auto same = [&](const KeyBytes* old) { return *old == *key; };
    return std::ranges::any_of(had, same) || is_free(*key, ssrc);
  });
  return all ? std::optional(ssrc) : std::nullopt;
}

}  // namespace

std::string key_name(const KeyBytes& key) {
  static constexpr std::string_view kPurpose = "castgate key name";
  std::array<unsigned char, 32> digest{};
  unsigned length = 0;
  const auto bytes = key.bytes();
  HMAC(EVP_sha256(), bytes.data(), static_cast<int>(bytes.size()),
       reinterpret_cast<const unsigned char*>(kPurpose.data()), kPurpose.size(), digest.data(),
       &length);
  std::string name;
  for (std::size_t i = 0; i < 8; ++i) name += fmt::format("{:02x}", digest[i]);
  return name;
}

Result<SsrcLedger> SsrcLedger::read(const std::string& path) {
  SsrcLedger ledger;
  const auto add = [&](const std::string& key, std::uint64_t ssrc) {
    ledger.used_[key].insert(static_cast<std::uint32_t>(ssrc));
    return ssrc <= 0xffffffff;
  };
  if (auto known = read_key_lines(path, add); !known) return std::unexpected(known.error());
  return ledger;
}

bool SsrcLedger::is_free(const KeyBytes& key, std::uint32_t ssrc) const {
  const auto used = used_.find(key_name(key));
  return used == used_.end() || !used->second.contains(ssrc);
}

// The one with which it runs, where that may go on; else the next that none of its keys had.
std::uint32_t SsrcLedger::choose(const StreamSpec& stream, const Spec* running) const {
  const auto own = [this](const KeyBytes& key, std::uint32_t ssrc) { return is_free(key, ssrc); };
  if (const auto same = same_in(running, stream, own)) return *same;
  const auto keys = keys_of(stream);
  std::uint32_t ssrc = ssrc_of(stream);
  while (!std::ranges::all_of(keys, [&](const KeyBytes* key) { return is_free(*key, ssrc); }))
    ++ssrc;
  return ssrc;
}

void SsrcLedger::assign(Spec& spec, const Spec* running) {
  for (StreamSpec& stream : spec.streams) {
    const auto keys = keys_of(stream);
    if (keys.empty()) continue;
    const std::uint32_t ssrc = choose(stream, running);
    for (const KeyBytes* key : keys) changed_ |= used_[key_name(*key)].insert(ssrc).second;
    stream.restamp.ssrc = ssrc;
  }
}

Result<void> SsrcLedger::write(const std::string& path) const {
  std::string text;
  for (const auto& [key, ssrcs] : used_) {
    for (const std::uint32_t ssrc : ssrcs) text += fmt::format("{} {:08x}\n", key, ssrc);
  }
  return write_durably(path, text);
}

void assign_ssrcs(Spec& spec, const Spec* running) {
  if (std::ranges::none_of(spec.streams, has_srtp)) return;
  const std::filesystem::path directory(spec.appliance.state_dir);
  const std::string path = (directory / "ssrc").string();
  std::error_code ignored;
  std::filesystem::create_directories(directory, ignored);  // reading and writing tell more
  auto ledger = SsrcLedger::read(path);
  Result<void> done;
  if (ledger) {
    ledger->assign(spec, running);
    if (ledger->changed()) done = ledger->write(path);
  } else {
    done = std::unexpected(ledger.error());
  }
  if (done) return;
  spdlog::error("SSRCs of sealed streams are by chance, not remembered: {}", done.error().text);
  assign_by_chance(spec, running);
}

void assign_by_chance(Spec& spec, const Spec* running) {
  for (StreamSpec& stream : spec.streams) {
    if (!has_srtp(stream)) continue;
    const auto none_is_free = [](const KeyBytes& /*key*/, std::uint32_t /*ssrc*/) { return false; };
    if (const auto same = same_in(running, stream, none_is_free); same.has_value()) {
      stream.restamp.ssrc = same;
      continue;
    }
    std::array<unsigned char, 4> bytes{};
    RAND_bytes(bytes.data(), static_cast<int>(bytes.size()));
    stream.restamp.ssrc = std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 |
                          std::uint32_t{bytes[2]} << 8 | bytes[3];
  }
}

}  // namespace castgate
