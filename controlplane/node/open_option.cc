// SPDX-License-Identifier: Apache-2.0
#include "controlplane/node/open_option.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>
#include <span>
#include <utility>
#include <vector>

#include "controlplane/keys/key_file.h"
#include "dataplane/base/esp/esp_gcm.h"
#include "dataplane/base/protect/replay_window.h"

namespace castgate {
namespace {

constexpr std::string_view kExample = "profile=srtp_gcm,key_file=news1.key";

// What was given is not repeated: a key may stand in the wrong place.
std::unexpected<Error> wrong(const std::string& what) {
  return fail("--open: " + what);
}

template <class Number>
bool read_number(std::string_view text, Number& into) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
  return error == std::errc{} && end == text.data() + text.size();
}

// Of decimal digits, or of hexadecimal ones behind 0x.
bool read_spi(std::string_view text, std::uint32_t& into) {
  const int base = text.starts_with("0x") ? 16 : 10;
  if (base == 16) text.remove_prefix(2);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into, base);
  return error == std::errc{} && end == text.data() + text.size() && into >= kFirstSpi;
}

bool read_profile(std::string_view text, ProtectProfile& into) {
  into = text == "srtp_gcm"     ? ProtectProfile::SrtpGcm
         : text == "srtp_cm"    ? ProtectProfile::SrtpCm
         : text == "esp_tunnel" ? ProtectProfile::EspTunnel
                                : ProtectProfile::None;
  return into != ProtectProfile::None;
}

bool read_window(std::string_view text, unsigned& into) {
  return read_number(text, into) && into >= ReplayWindow::kSmallest &&
         into <= ReplayWindow::kLargest;
}

bool read_endpoint(std::string_view text, std::optional<Endpoint>& into) {
  into = Endpoint::parse(std::string(text));
  return into.has_value();
}

// For which profiles a key is.
enum class For : std::uint8_t { All, Srtp, SrtpCm, Esp };

struct Key {
  std::string_view name;
  std::string_view expected;
  bool (*read)(std::string_view value, OpenOption& into);
  For whom = For::All;
};

constexpr auto kKeys = std::to_array<Key>({
    {"profile", "srtp_gcm, srtp_cm or esp_tunnel",
     [](auto value, OpenOption& into) { return read_profile(value, into.sealed.profile); }},
    {"key_file", "a path",
     [](auto value, OpenOption& into) {
       into.sealed.key_file = value;
       return !value.empty();
     }},
    {"key_bits", "128 or 256",
     [](auto value, OpenOption& into) {
       unsigned& bits = into.sealed.key_bits;
       return read_number(value, bits) && (bits == 128 || bits == 256);
     }},
    {"tag_bits", "80 or 32",
     [](auto value, OpenOption& into) {
       unsigned& bits = into.sealed.tag_bits;
       return read_number(value, bits) && (bits == 80 || bits == 32);
     },
     For::SrtpCm},
    {"mki_bytes", "0 to 4",
     [](auto value, OpenOption& into) {
       unsigned& bytes = into.sealed.mki_bytes;
       return read_number(value, bytes) && bytes <= 4;
     },
     For::Srtp},
    {"roc", "0 to 4294967295",
     [](auto value, OpenOption& into) { return read_number(value, into.roll_over); }, For::Srtp},
    {"replay_window", "64 to 32768",
     [](auto value, OpenOption& into) { return read_window(value, into.replay_window); }},
    {"spi", "256 to 4294967295, or that from 0x100 on",
     [](auto value, OpenOption& into) { return read_spi(value, into.sealed.spi); }, For::Esp},
    {"esn", "true or false",
     [](auto value, OpenOption& into) {
       into.sealed.esn = value == "true";
       return value == "true" || value == "false";
     },
     For::Esp},
    {"inner_to", "ADDRESS:PORT",
     [](auto value, OpenOption& into) { return read_endpoint(value, into.inner_to); }, For::Esp},
});

const Key* find_key(std::string_view name) {
  const auto found = std::ranges::find(kKeys, name, &Key::name);
  return found == kKeys.end() ? nullptr : &*found;
}

// Empty where it is taken, else what is wrong with it.
std::string take(std::string_view name, std::string_view value, OpenOption& into) {
  if (const Key* key = find_key(name)) {
    return key->read(value, into) ? "" : fmt::format("{}: expected {}", name, key->expected);
  }
  std::string known;
  for (const Key& key : kKeys) known.append(known.empty() ? "" : ", ").append(key.name);
  constexpr std::size_t kLongest = 20;  // a key may stand here, too
  return fmt::format("unknown '{}'; there are: {}",
                     name.size() > kLongest ? "..." : std::string(name), known);
}

// The same of keys that the profile does not have, or needs.
std::string fault_of(const OpenOption& made, std::span<const std::string_view> given) {
  const bool cm = made.sealed.profile == ProtectProfile::SrtpCm;
  for (const std::string_view name : given) {
    const For whom = find_key(name)->whom;
    if (whom == For::SrtpCm && !cm)
      return fmt::format("{}: srtp_cm alone has tags of more than one length", name);
    if (whom == For::Srtp && made.sealed.is_esp()) return fmt::format("{}: is SRTP's", name);
    if (whom == For::Esp && !made.sealed.is_esp()) return fmt::format("{}: is ESP's", name);
  }
  return made.sealed.is_esp() && made.sealed.spi == 0
             ? "spi is missing: as the relay's protect has it"
             : "";
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
      return wrong(fmt::format("{} is there twice", key.substr(0, 20)));
    }
    keys.push_back(key);
    const auto what = take(key, part.substr(std::min(equals + 1, part.size())), made);
    if (!what.empty()) return wrong(what);
  }
  const bool named = made.sealed.is_on() && !made.sealed.key_file.empty();
  if (!named) return wrong(fmt::format("expected a profile and its key, as {}", kExample));
  const std::string fault = fault_of(made, keys);
  if (!fault.empty()) return wrong(fault);
  return made;
}

Result<OpenOption> read_open(std::string_view text) {
  auto made = parse_open(text);
  if (!made) return made;
  auto keys = read_key_file(made->sealed.key_file, key_file_bytes(made->sealed));
  if (!keys) return fail("--open: " + keys.error().text);
  if (const auto fault = fault_of_keys(*keys, teller_of(made->sealed)))
    return fail(fmt::format("--open: {} {}", made->sealed.key_file, *fault));
  made->sealed.keys = *std::move(keys);
  return made;
}

}  // namespace castgate
