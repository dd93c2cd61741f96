// SPDX-License-Identifier: Apache-2.0
#include "controlplane/node/receive_plan.h"

#include <algorithm>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controlplane/slow_path/unique_fd.h"

namespace castgate {
namespace {

constexpr std::size_t kMostRelays = 8;  // legs of a merge window

Result<std::vector<HttpPlace>> read_relays(const std::vector<std::string>& urls) {
  if (urls.size() > kMostRelays) {
    return fail(fmt::format("{} relays, at most {}", urls.size(), kMostRelays));
  }
  std::vector<HttpPlace> places;
  for (const std::string& url : urls) {
    auto place = parse_relay_url(url);
    if (!place) return std::unexpected(place.error());
    if (std::ranges::find(places, *place) != places.end()) {
      return fail(fmt::format("{}: named twice", url));
    }
    places.push_back(std::move(*place));
  }
  return places;
}

// The first relay sends to the port that was asked for, the next to the one after it.
Result<Endpoint> listen_at(const std::string& listen, std::size_t leg) {
  if (listen.empty()) return Endpoint{};
  const auto at = Endpoint::parse(listen);
  if (!at || at->address.is_multicast() || (at->udp_port != 0 && at->udp_port + leg > UINT16_MAX)) {
    return fail(
        fmt::format("--listen '{}': expected ADDRESS:PORT of this host, as 0.0.0.0:6000", listen));
  }
  Endpoint own = *at;
  if (own.udp_port != 0) own.udp_port = static_cast<std::uint16_t>(own.udp_port + leg);
  return own;
}

Result<void> check_plain(const HttpPlace& place, ReceivePlan& plan) {
  if (place.tls || place.is_loopback()) return {};
  if (!plan.token.empty()) {
    return fail(fmt::format("{}: the token would travel in clear: use rests://{}",
                            place.authority(), place.host));
  }
  plan.warnings.push_back(fmt::format(
      "{}: asked in clear; rests:// is for relays with a certificate", place.authority()));
  return {};
}

Result<void> add_relay(const HttpPlace& place, const ReceiveOptions& options, ReceivePlan& plan) {
  if (auto good = check_plain(place, plan); !good) return good;
  const auto at = listen_at(options.listen, plan.sockets.size());
  if (!at) return std::unexpected(at.error());
  auto socket = LegSocket::open(*at, options.buffer);
  if (!socket) return std::unexpected(socket.error());
  const std::string& warning = (*socket)->warning();
  if (!warning.empty() && plan.sockets.empty()) plan.warnings.push_back(warning);
  const bool any = at->address.is_unspecified();
  plan.relays.push_back({.place = place,
                         .address = any ? std::string{} : at->address.to_string(),
                         .udp_port = (*socket)->udp_port(),
                         .proof = !options.stock});
  plan.sockets.push_back(std::move(*socket));
  return {};
}

}  // namespace

Result<std::vector<std::unique_ptr<RelayOpener>>> make_openers(const std::vector<std::string>& how,
                                                               std::size_t relays) {
  std::vector<std::unique_ptr<RelayOpener>> made;
  if (how.empty()) return made;
  if (how.size() != 1 && how.size() != relays) {
    return fail(fmt::format("--open is there {} times, relays {}: one for all, or one for each",
                            how.size(), relays));
  }
  for (std::size_t leg = 0; leg < relays; ++leg) {
    const auto option = read_open(how[how.size() == 1 ? 0 : leg]);
    if (!option) return std::unexpected(option.error());
    auto opener = RelayOpener::make(*option);
    if (!opener) return fail("--open: " + opener.error().text);
    made.push_back(std::move(*opener));
  }
  return made;
}

Result<std::unique_ptr<RelayOpener>> opener_of(const RelayClient& client,
                                               const std::optional<RelayClient>& before,
                                               bool are_others) {
  if (!client.sealed || (before && before->has_key_of(client))) return nullptr;
  if (are_others) {
    return fail(
        "numbers its packets for each client (isolation: per_client): name this relay "
        "alone, or let it seal for all (isolation: group)");
  }
  return RelayOpener::make(*client.sealed);
}

Result<std::string> read_token(const std::string& path) {
  constexpr std::size_t kLongest = 4096;
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat about{};
  if (!fd || fstat(fd.get(), &about) != 0) {
    return fail(fmt::format("--token-file {}: {}", path, errno_text()));
  }
  if ((about.st_mode & (S_IROTH | S_IWOTH)) != 0) {
    return fail(fmt::format("--token-file {}: everybody may read it; chmod 600 {}", path, path));
  }
  std::string token(kLongest + 1, '\0');
  const ssize_t length = read(fd.get(), token.data(), token.size());
  if (length < 0) return fail(fmt::format("--token-file {}: {}", path, errno_text()));
  token.resize(static_cast<std::size_t>(length));
  while (!token.empty() && (token.back() == '\n' || token.back() == '\r')) token.pop_back();
  const bool visible = std::ranges::all_of(token, [](char c) { return c > ' ' && c < 0x7f; });
  if (token.empty() || token.size() > kLongest || !visible) {
    return fail(fmt::format("--token-file {}: expected one line of visible ASCII, at most {} bytes",
                            path, kLongest));
  }
  return token;
}

Result<ReceivePlan> plan_reception(const ReceiveOptions& options) {
  ReceivePlan plan;
  const auto places = read_relays(options.relays);
  if (!places) return std::unexpected(places.error());
  if (!options.token_file.empty()) {
    auto token = read_token(options.token_file);
    if (!token) return std::unexpected(token.error());
    plan.token = std::move(*token);
  }
  for (const HttpPlace& place : *places) {
    if (auto added = add_relay(place, options, plan); !added) {
      return std::unexpected(added.error());
    }
  }
  auto openers = make_openers(options.open, plan.relays.size());
  if (!openers) return std::unexpected(openers.error());
  plan.openers = std::move(*openers);
  if (!plan.openers.empty() && !SecretMemory::is_locked()) {
    plan.warnings.push_back(
        "the kernel locks no memory for the keys: they may reach the swap; raise ulimit -l");
  }
  if (options.to == "-" && isatty(STDOUT_FILENO) != 0) {
    return fail("standard output is a terminal: --to udp://127.0.0.1:5000 or --to file:PATH");
  }
  auto sink = PacketSink::open(options.to);
  if (!sink) return std::unexpected(sink.error());
  plan.media = options.payload.empty() ? !(*sink)->is_datagrams() : options.payload == "media";
  plan.sink = std::move(*sink);
  return plan;
}

}  // namespace castgate
