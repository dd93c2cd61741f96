// SPDX-License-Identifier: Apache-2.0
// A client table over a data plane of the tests' own, whose clock the test moves.
#pragma once

#include <gtest/gtest.h>

#include "controlplane/clients/client_table.h"
#include "tests/support/fake_runtime.h"

namespace castgate::test {

inline constexpr Nanoseconds kLease = std::chrono::seconds(60);

inline Endpoint client(unsigned number) {
  return {IpAddress::v4(0x0a090100 + number), 6000};
}

class LeasesTest : public testing::Test {
 protected:
  LeasesTest() {
    PortSpec& out = spec_.ports.emplace_back();
    out.name = "out";
    out.networks[0].addresses = {IpPrefix::parse("10.9.0.1/16").value()};
    StreamSpec& stream = spec_.streams.emplace_back();
    stream.name = "news1";
    stream.legs.push_back({.name = "A", .to = Endpoint::parse("239.1.0.1:5000").value()});
    stream.unicasts.push_back({.name = "homes", .max_clients = 50'000});
    spec_.appliance.max_clients = 50'000;
    clients_.set_runtime(&runtime_);
  }
  const ClientEntry* join(unsigned number, Nanoseconds lease = kLease) {
    const auto joined = clients_.join(
        {.output = "news1", .client = client(number), .door = "rest", .lease = lease}, now_);
    EXPECT_TRUE(joined) << joined.error().text;
    return joined ? joined->client : nullptr;
  }
  unsigned expire_after(Nanoseconds passed) {
    now_ = now_ + passed;
    return clients_.expire(now_);
  }

  Spec spec_;
  FakeRuntime runtime_;
  ClientTable clients_{spec_};
  Instant now_{5'000'000'000};
};

}  // namespace castgate::test
