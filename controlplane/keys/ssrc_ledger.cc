// SPDX-License-Identifier: Apache-2.0
#include "controlplane/keys/ssrc_ledger.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fmt/format.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <spdlog/spdlog.h>
#include <string_view>

#include "controlplane/keys/key_lines.h"
#include "controlplane/store/durable_file.h"

namespace castgate {
namespace {

// Those whose packets an SSRC keeps apart.
std::vector<const ProtectSpec*> keys_of(const StreamSpec& stream) {
  std::vector<const ProtectSpec*> keys;
  const auto add = [&](const auto& output) {
    if (output.protect.is_srtp()) keys.push_back(&output.protect);
  };
  std::ranges::for_each(stream.outputs, add);
  std::ranges::for_each(stream.unicasts, add);
  return keys;
}

bool has_srtp(const StreamSpec& stream) {
  return !keys_of(stream).empty();
}

// The stream as it runs, if it seals with the same keys.
const StreamSpec* same_in(const Spec* running, const StreamSpec& stream) {
  if (running == nullptr) return nullptr;
  const auto at = std::ranges::find(running->streams, stream.name, &StreamSpec::name);
  if (at == running->streams.end()) return nullptr;
  const auto had = keys_of(*at);
  const bool all = std::ranges::all_of(keys_of(stream), [&](const ProtectSpec* wanted) {
    return std::ranges::any_of(had,
                               [&](const ProtectSpec* old) { return *old->key == *wanted->key; });
  });
  return all ? &*at : nullptr;
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

void SsrcLedger::assign(Spec& spec, const Spec* running) {
  for (StreamSpec& stream : spec.streams) {
    const auto keys = keys_of(stream);
    if (keys.empty()) continue;
    if (const StreamSpec* same = same_in(running, stream)) {
      stream.restamp.ssrc = ssrc_of(*same);
      continue;
    }
    std::uint32_t ssrc = ssrc_of(stream);
    const auto was_used = [&](const ProtectSpec* protect) {
      return used_[key_name(*protect->key)].contains(ssrc);
    };
    while (std::ranges::any_of(keys, was_used)) ++ssrc;
    for (const ProtectSpec* protect : keys) used_[key_name(*protect->key)].insert(ssrc);
    stream.restamp.ssrc = ssrc;
    changed_ = true;
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
    if (const StreamSpec* same = same_in(running, stream)) {
      stream.restamp.ssrc = ssrc_of(*same);
      continue;
    }
    std::array<unsigned char, 4> bytes{};
    RAND_bytes(bytes.data(), static_cast<int>(bytes.size()));
    stream.restamp.ssrc = std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 |
                          std::uint32_t{bytes[2]} << 8 | bytes[3];
  }
}

}  // namespace castgate
