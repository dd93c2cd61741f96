// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "dataplane/base/error.h"

namespace castgate {

// Where a request goes.
struct HttpPlace {
  bool tls = false;
  std::string host;  // a name or an address, an IPv6 one without its brackets
  std::uint16_t port = 0;
  std::string path;  // begins with a slash

  std::string authority() const;  // host:port, an IPv6 address in brackets
  std::string to_string() const;
  // Is it this very machine by its name? A name that only resolves to a loopback address is not.
  bool is_loopback() const;
  bool operator==(const HttpPlace&) const = default;
};

inline constexpr std::uint16_t kRestPort = 8080;
inline constexpr std::uint16_t kRestTlsPort = 8443;

// rest://HOST[:PORT]/STREAM, or rests:// for TLS: the place of the stream's clients.
Result<HttpPlace> parse_relay_url(std::string_view text);

// The Location of an answer that came from `from`: http://, https:// or a path. Never from TLS to
// plain text.
Result<HttpPlace> parse_location(std::string_view text, const HttpPlace& from);

}  // namespace castgate
