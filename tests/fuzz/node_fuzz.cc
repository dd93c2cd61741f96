// SPDX-License-Identifier: Apache-2.0
// What relays and whoever pretends to be one may say to castgate-node: the first byte chooses the
// parser. What is read can be used without another look.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "controlplane/node/relay_answers.h"
#include "controlplane/node/relay_url.h"
#include "dataplane/base/check.h"

namespace castgate {
namespace {

bool is_visible(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

void check_place(const HttpPlace& place) {
  CG_CHECK(!place.host.empty() && is_visible(place.host) && place.port != 0);
  CG_CHECK(place.path.starts_with('/') && is_visible(place.path));
  const auto again = parse_location(place.to_string(), place);
  CG_CHECK(again && *again == place);  // its text means the same place
}

void check_client(std::string_view text) {
  const auto client = parse_relay_client(text);
  if (!client) {
    CG_CHECK(!client.error().text.contains('\n') && client.error().text.size() < 500);
    return;
  }
  CG_CHECK(client->id.size() == 32 && is_visible(client->id) && !client->id.contains('/'));
  CG_CHECK(client->source.udp_port != 0 && !client->source.address.is_multicast());
  CG_CHECK(client->lease.count() >= 1 && client->lease.count() <= 86'400);
  CG_CHECK(!sequence_name(client->sequence).empty());
}

void check_problem(std::string_view text) {
  const std::string line = parse_problem(500, text);
  CG_CHECK(!line.empty() && line.size() < 300);
  CG_CHECK(std::ranges::all_of(line, [](char c) { return c >= ' ' && c <= '~'; }));
}

void check_location(std::string_view text) {
  for (const bool tls : {false, true}) {
    const HttpPlace from{tls, "2001:db8::1", 8080, "/v1/streams/s/clients"};
    const auto place = parse_location(text, from);
    if (!place) continue;
    check_place(*place);
    CG_CHECK(place->tls || !tls);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0]) {
    case 'c':
      check_client(text);
      break;
    case 'e':
      check_problem(text);
      break;
    case 'l':
      check_location(text);
      break;
    case 'p': {
      const auto nonce = parse_proof(std::as_bytes(std::span(text)));
      CG_CHECK(!nonce || (nonce->size() == 32 && text.contains(*nonce)));
      break;
    }
    case 'u':
      if (const auto place = parse_relay_url(text)) {
        check_place(*place);
        (void)place->is_loopback();
      }
      break;
    default:
      break;
  }
  return 0;
}

}  // namespace castgate
