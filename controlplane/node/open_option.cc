// SPDX-License-Identifier: Apache-2.0
#include "controlplane/node/open_option.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <utility>
#include <vector>

#include "controlplane/keys/key_file.h"
#include "dataplane/base/protect/replay_window.h"

namespace castgate {
namespace {

constexpr std::string_view kExample = "profile=srtp_gcm,key_file=news1.key";

std::unexpected<Error> wrong(std::string_view text, const std::string& what) {
  return fail(fmt::format("--open '{}': {}", text, what));
}

template <class Number>
bool read_number(std::string_view text, Number& into) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
  return error == std::errc{} && end == text.data() + text.size();
}

// Empty where it is taken, else what is wrong with it.
std::string take(std::string_view key, std::string_view value, OpenOption& into) {
  ProtectSpec& sealed = into.sealed;
  if (key == "profile") {
    sealed.profile = value == "srtp_gcm"  ? ProtectProfile::SrtpGcm
                     : value == "srtp_cm" ? ProtectProfile::SrtpCm
                                          : ProtectProfile::None;
    return sealed.is_on() ? "" : "profile: expected srtp_gcm or srtp_cm";
  }
  if (key == "key_file") {
    sealed.key_file = value;
    return value.empty() ? "key_file: expected a path" : "";
  }
  if (key == "key_bits") {
    const bool good = read_number(value, sealed.key_bits);
    return good && (sealed.key_bits == 128 || sealed.key_bits == 256)
               ? ""
               : "key_bits: expected 128 or 256";
  }
  if (key == "tag_bits") {
    const bool good = read_number(value, sealed.tag_bits);
    return good && (sealed.tag_bits == 80 || sealed.tag_bits == 32) ? ""
                                                                    : "tag_bits: expected 80 or 32";
  }
  if (key == "roc") {
    return read_number(value, into.roll_over) ? "" : "roc: expected 0 to 4294967295";
  }
  if (key == "replay_window") {
    const bool good = read_number(value, into.replay_window);
    return good && into.replay_window >= ReplayWindow::kSmallest &&
                   into.replay_window <= ReplayWindow::kLargest
               ? ""
               : "replay_window: expected 64 to 32768";
  }
  return fmt::format(
      "unknown '{}'; there are: profile, key_file, key_bits, tag_bits, roc, "
      "replay_window",
      key);
}

}  // namespace

Result<OpenOption> parse_open(std::string_view text) {
  OpenOption made;
  std::vector<std::string_view> keys;
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t end = std::min(rest.find(','), rest.size());
    const std::string_view part = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const std::size_t equals = std::min(part.find('='), part.size());
    const std::string_view key = part.substr(0, equals);
    if (std::ranges::find(keys, key) != keys.end()) {
      return wrong(text, fmt::format("{} is there twice", key));
    }
    keys.push_back(key);
    const auto what = take(key, part.substr(std::min(equals + 1, part.size())), made);
    if (!what.empty()) return wrong(text, what);
  }
  const bool named = made.sealed.is_on() && !made.sealed.key_file.empty();
  if (!named) return wrong(text, fmt::format("expected a profile and its key, as {}", kExample));
  if (made.sealed.profile != ProtectProfile::SrtpCm &&
      std::ranges::find(keys, "tag_bits") != keys.end()) {
    return wrong(text, "tag_bits: srtp_cm alone has tags of more than one length");
  }
  return made;
}

Result<OpenOption> read_open(std::string_view text) {
  auto made = parse_open(text);
  if (!made) return made;
  const auto keys = read_key_file(made->sealed.key_file, key_file_bytes(made->sealed));
  if (!keys) return fail("--open: " + keys.error().text);
  if (keys->size() != 1)
    return fail(fmt::format("--open: {} holds {} keys", made->sealed.key_file, keys->size()));
  made->sealed.keys = *keys;
  return made;
}

}  // namespace castgate
