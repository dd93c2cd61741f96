// SPDX-License-Identifier: Apache-2.0
// The REST door without a network: what a request is answered, and what became of it.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "controlplane/clients/doors/rest_door.h"
#include "tests/support/fake_runtime.h"

namespace castgate::test {

using nlohmann::json;

inline constexpr const char* kNews = "/v1/streams/news1/clients";

class RestLab : public testing::Test {
 protected:
  struct Reply {
    unsigned status;
    json body;
    std::map<std::string, std::string> headers;
    std::string id() const { return body.value("id", ""); }
  };

  RestLab() {
    PortSpec& out = spec_.ports.emplace_back();
    out.name = "out";
    out.networks[0].addresses = {IpPrefix::parse("10.9.0.1/16").value()};
    for (const char* name : {"news1", "news2"}) {
      StreamSpec& stream = spec_.streams.emplace_back();
      stream.name = name;
      stream.legs.push_back({.name = "A", .to = Endpoint::parse("239.1.0.1:5000").value()});
      stream.unicasts.push_back({.name = "homes"});
    }
    spec_.streams[1].unicasts.push_back({.name = "far"});
    spec_.doors.rest = RestDoorSpec{.listen = Endpoint::parse("10.9.0.1:8080").value(),
                                    .allow = {IpPrefix::parse("10.9.0.0/16").value()},
                                    .clients_per_address = 3,
                                    .joins_per_second = 50};
    clients_.set_runtime(&runtime_);
    open();
  }
  void open(std::optional<Tokens> tokens = {}) {
    door_.emplace(RestDoor::Parts{.spec = spec_,
                                  .clients = clients_,
                                  .counters = counters_,
                                  .send_proof =
                                      [this](const JoinOrder& order, std::string_view payload) {
                                        proofs_.emplace_back(order.client, payload);
                                        return sends_;
                                      },
                                  .now = [this] { return now_; },
                                  .ttl_of = [this](const IpAddress& peer) -> std::uint8_t {
                                    return peer == peer_ ? ttl_ : 0;
                                  },
                                  .redirect = redirect_},
                  std::move(tokens));
  }
  Reply ask(const std::string& method, const std::string& target, const std::string& body = "",
            const std::string& authorization = "") {
    const HttpResponse answer = door_->answer({.method = method,
                                               .target = target,
                                               .body = body,
                                               .authorization = authorization,
                                               .content_type = "application/json",
                                               .peer = peer_,
                                               .private_way = private_});
    Reply reply{answer.status,
                answer.body.empty() ? json() : json::parse(answer.body),
                {answer.headers.begin(), answer.headers.end()}};
    if (reply.status >= 300) {
      EXPECT_EQ(answer.type, "application/problem+json");
      EXPECT_EQ(reply.body["status"], reply.status);
      EXPECT_FALSE(reply.body["detail"].get<std::string>().empty());
    }
    return reply;
  }
  Reply join(const json& body, const std::string& target = kNews) {
    return ask("POST", target, body.dump());
  }
  Reply renew(const std::string& id, const json& body = json::object()) {
    return ask("PUT", std::string(kNews) + "/" + id, body.dump());
  }
  std::string last_nonce() const { return proofs_.back().second.substr(17, 32); }
  void come_from(const char* address) { peer_ = IpAddress::parse(address).value(); }

  Spec spec_;
  FakeRuntime runtime_;
  ClientTable clients_{spec_};
  DoorCounters counters_;
  std::vector<std::pair<Endpoint, std::string>> proofs_;
  bool sends_ = true;
  bool private_ = false;
  std::function<std::optional<std::string>(const std::string&, const IpAddress&)> redirect_;
  IpAddress peer_ = IpAddress::v4(0x0a090007);
  std::uint8_t ttl_ = 0;  // of the peer's packets
  Instant now_{5'000'000'000};
  std::optional<RestDoor> door_;
};

}  // namespace castgate::test
