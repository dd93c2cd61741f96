// SPDX-License-Identifier: Apache-2.0
#include "controlplane/node/relay_url.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <optional>

#include "dataplane/base/address.h"

namespace castgate {
namespace {

constexpr std::size_t kLongestUrl = 2048;
constexpr std::size_t kLongestHost = 253;  // RFC 1035 2.3.4, as text
constexpr std::size_t kLongestStream = 128;

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_';
}

bool is_host(std::string_view text) {
  return !text.empty() && text.size() <= kLongestHost && text.front() != '.' &&
         std::ranges::all_of(text, [](char c) { return is_word(c) || c == '.'; });
}

bool is_v6(std::string_view text) {
  if (text.find_first_not_of("0123456789abcdefABCDEF:.") != std::string_view::npos) return false;
  const auto address = IpAddress::parse(std::string(text));
  return address && text.contains(':');
}

bool is_stream(std::string_view text) {
  return text.size() <= kLongestStream && is_host(text);  // the same letters, and no ".."
}

// What a request's first line may bear.
bool is_path(std::string_view text) {
  return text.starts_with('/') &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f && c != '#'; });
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

// HOST[:PORT], without credentials.
bool read_authority(std::string_view text, HttpPlace& into) {
  std::string_view port;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos || !is_v6(text.substr(1, end - 1))) return false;
    into.host = text.substr(1, end - 1);
    port = text.substr(end + 1);
  } else {
    const std::size_t end = std::min(text.find(':'), text.size());
    if (!is_host(text.substr(0, end))) return false;
    into.host = text.substr(0, end);
    port = text.substr(end);
  }
  if (port.empty()) return true;
  const auto number = parse_port(port.substr(1));
  if (port.front() != ':' || !number) return false;
  into.port = *number;
  return true;
}

// What stands behind "scheme://", where `text` begins with it.
std::optional<std::string_view> behind(std::string_view scheme, std::string_view text) {
  if (!text.starts_with(scheme) || !text.substr(scheme.size()).starts_with("://")) return {};
  return text.substr(scheme.size() + 3);
}

}  // namespace

std::string HttpPlace::authority() const {
  return host.contains(':') ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

std::string HttpPlace::to_string() const {
  return fmt::format("{}://{}{}", tls ? "https" : "http", authority(), path);
}

bool HttpPlace::is_loopback() const {
  if (host == "localhost") return true;
  const auto address = IpAddress::parse(host);
  return address && address->is_loopback();
}

Result<HttpPlace> parse_relay_url(std::string_view text) {
  const auto wrong = [&](std::string_view what) {
    return fail(fmt::format("'{}': {}; expected rest://HOST[:PORT]/STREAM, or rests:// for TLS",
                            text.substr(0, 100), what));
  };
  if (text.size() > kLongestUrl) return wrong("too long");
  HttpPlace place;
  auto rest = behind("rest", text);
  place.port = kRestPort;
  if (!rest) {
    rest = behind("rests", text);
    place.tls = true;
    place.port = kRestTlsPort;
  }
  if (!rest) return wrong("no relay's URL");
  const std::size_t slash = rest->find('/');
  if (slash == std::string_view::npos) return wrong("no stream is named");
  if (!read_authority(rest->substr(0, slash), place)) return wrong("no host, or a bad port");
  const std::string_view stream = rest->substr(slash + 1);
  if (!is_stream(stream)) return wrong("no stream has such a name");
  place.path = fmt::format("/v1/streams/{}/clients", stream);
  return place;
}

Result<HttpPlace> parse_location(std::string_view text, const HttpPlace& from) {
  const auto wrong = [&](std::string_view what) {
    return fail(fmt::format("{} answers with a Location that {}", from.authority(), what));
  };
  if (text.size() > kLongestUrl) return wrong("is too long");
  HttpPlace place = from;
  if (!text.starts_with('/')) {
    auto rest = behind("http", text);
    place.tls = false;
    place.port = 80;
    if (!rest) {
      rest = behind("https", text);
      place.tls = true;
      place.port = 443;
    }
    if (!rest) return wrong("is neither http:// nor https://");
    const std::size_t slash = std::min(rest->find('/'), rest->size());
    if (!read_authority(rest->substr(0, slash), place)) return wrong("names no host");
    text = rest->substr(slash);
  }
  if (!is_path(text) || text.starts_with("//")) return wrong("names no path");
  if (from.tls && !place.tls) return wrong("leads from TLS to plain text");
  place.path = text;
  if (place.to_string().size() > kLongestUrl) return wrong("is too long");
  return place;
}

}  // namespace castgate
