// SPDX-License-Identifier: Apache-2.0
// Any requests may come to the REST door, in any order: each is answered by a status that its
// description knows, and whoever has a place in the data plane is in the table, proved and allowed.
// The input is lines: "METHOD TARGET BODY"; "+N": N tenths of a second pass; "@N": another peer,
// 0 on loopback; "~HEADER": there are tokens, and this is the Authorization from here on; "=": the
// newest nonce is brought back; in a target or body, $ stands for the newest id.
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "controlplane/clients/doors/rest_door.h"
#include "dataplane/base/check.h"
#include "tests/support/fake_runtime.h"

namespace castgate {
namespace {

const std::set<unsigned> kStatuses{200, 201, 202, 204, 400, 401, 403, 404, 405, 409, 429, 503};
constexpr unsigned kMostClients = 6;
constexpr std::string_view kTokens =
    "alice 0123456789abcdef0123456789abcdef\nroot fedcba9876543210fedcba9876543210 admin\n";

class Door {
 public:
  Door() {
    PortSpec& out = spec_.ports.emplace_back();
    out.name = "out";
    out.networks[0].addresses = {*IpPrefix::parse("10.9.0.1/16"),
                                 *IpPrefix::parse("2001:db8::1/64")};
    for (const char* name : {"s", "t"}) {
      StreamSpec& stream = spec_.streams.emplace_back();
      stream.name = name;
      stream.legs.emplace_back().to = {IpAddress::v4(0xef010001), 5000};
      stream.unicasts.push_back({.name = "homes"});
    }
    spec_.streams[1].unicasts.push_back({.name = "far"});
    spec_.appliance.max_clients = kMostClients;
    spec_.doors.rest = RestDoorSpec{.listen = *Endpoint::parse("10.9.0.1:8080"),
                                    .allow = {*IpPrefix::parse("10.9.0.0/16")},
                                    .clients_per_address = 2};
    clients_.set_runtime(&runtime_);
    open(std::nullopt);
  }

  void take(std::string_view line) {
    if (line.starts_with('+')) return pass(number(line.substr(1)));
    if (line.starts_with('@')) {
      const unsigned host = number(line.substr(1));
      peer_ = IpAddress::v4(host == 0 ? 0x7f000001 : 0x0a090000 + host);
      was_admin_ |= host == 0;
      return;
    }
    if (line.starts_with('~')) {
      authorization_ = line.substr(1);
      was_admin_ = true;
      return open(*Tokens::parse(kTokens, "tokens"));
    }
    if (line == "=") {
      return ask("PUT", "/v1/streams/s/clients/" + id_, R"({"nonce": ")" + nonce_ + "\"}");
    }
    const auto first = line.find(' ');
    const auto second = first == std::string_view::npos ? first : line.find(' ', first + 1);
    if (first == std::string_view::npos) return;
    const std::string_view target = line.substr(first + 1, second - first - 1);
    ask(line.substr(0, first), filled(target),
        second == std::string_view::npos ? "" : filled(line.substr(second + 1)));
  }

 private:
  void open(std::optional<Tokens> tokens) {
    door_.emplace(RestDoor::Parts{.spec = spec_,
                                  .clients = clients_,
                                  .counters = counters_,
                                  .send_proof =
                                      [this](const JoinOrder&, std::string_view payload) {
                                        nonce_ = payload.substr(17, 32);
                                        return true;
                                      },
                                  .now = [this] { return now_; },
                                  .ttl_of = [](const IpAddress&) { return std::uint8_t{61}; },
                                  .redirect = {}},
                  std::move(tokens));
  }
  static unsigned number(std::string_view text) {
    std::uint8_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
  }
  std::string filled(std::string_view text) const {
    std::string whole;
    for (const char c : text) c == '$' ? whole += id_ : whole += c;
    return whole;
  }
  void pass(unsigned tenths) {
    now_ = now_ + tenths * Nanoseconds(std::chrono::milliseconds(100));
    counters_.expired += clients_.expire(now_);
    door_->turn();
    judge();
  }
  void ask(std::string_view method, const std::string& target, const std::string& body) {
    const HttpResponse answer = door_->answer({.method = method,
                                               .target = target,
                                               .body = body,
                                               .authorization = authorization_,
                                               .content_type = {},
                                               .peer = peer_,
                                               .private_way = !authorization_.empty()});
    CG_CHECK(kStatuses.contains(answer.status));
    CG_CHECK(answer.body.empty() == (answer.status == 204));
    if (!answer.body.empty()) {
      const auto json = nlohmann::json::parse(answer.body, nullptr, false);
      CG_CHECK(json.is_object());
      if (answer.status < 300 && json.contains("id")) id_ = json["id"];
    }
    judge();
  }
  void judge() const {
    CG_CHECK(clients_.size() <= kMostClients);
    CG_CHECK(runtime_.joined.size() - runtime_.left.size() == clients_.size());
    CG_CHECK(counters_.joins - counters_.leaves - counters_.expired == clients_.size());
    for (const ClientEntry& client : clients_.all()) {
      CG_CHECK(was_admin_ || spec_.doors.rest->allow[0].contains(client.route.to.address));
      CG_CHECK(!(client.route.to.address == spec_.ports[0].networks[0].addresses[0].address));
      CG_CHECK(clients_.left_of(client, now_) <= client.lease);
    }
  }

  Spec spec_;
  test::FakeRuntime runtime_;
  ClientTable clients_{spec_};
  DoorCounters counters_;
  Instant now_{1'000'000'000};
  IpAddress peer_ = IpAddress::v4(0x0a090007);
  std::string id_ = std::string(32, '0');
  std::string nonce_;
  std::string authorization_;
  bool was_admin_ = false;  // who may place clients anywhere
  std::optional<RestDoor> door_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  Door door;
  while (!text.empty()) {
    const auto end = text.find('\n');
    door.take(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  }
  static_cast<void>(Tokens::parse({reinterpret_cast<const char*>(data), size}, "t"));
  static_cast<void>(read_bearer({reinterpret_cast<const char*>(data), size}));
  return 0;
}

}  // namespace castgate
