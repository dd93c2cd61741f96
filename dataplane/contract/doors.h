// SPDX-License-Identifier: Apache-2.0
// How clients join from outside. One field per YAML key, as in spec.h.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "dataplane/base/address.h"
#include "dataplane/base/instant.h"

namespace castgate {

struct TlsSpec {
  std::string cert;  // PEM files
  std::string key;
  bool operator==(const TlsSpec&) const = default;
};

// HTTP with JSON.
struct RestDoorSpec {
  Endpoint listen;  // TCP
  std::optional<TlsSpec> tls;
  std::vector<IpPrefix> allow;  // who may ask, and where clients may be; loopback always may
  std::string tokens;           // file; empty: nobody needs one
  Nanoseconds lease{60'000'000'000};
  unsigned clients_per_address = 32;
  unsigned joins_per_second = 20;  // of one peer that is not on loopback
  bool operator==(const RestDoorSpec&) const = default;
};

// Where Prometheus reads, by HTTP.
struct MetricsDoorSpec {
  Endpoint listen;              // TCP
  std::vector<IpPrefix> allow;  // who may read; loopback always may
  bool operator==(const MetricsDoorSpec&) const = default;
};

struct DoorsSpec {
  std::optional<RestDoorSpec> rest;
  std::optional<MetricsDoorSpec> metrics;
  bool operator==(const DoorsSpec&) const = default;
};

}  // namespace castgate
