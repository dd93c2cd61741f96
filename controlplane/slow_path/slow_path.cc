// SPDX-License-Identifier: Apache-2.0
#include "controlplane/slow_path/slow_path.h"

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>
#include <list>
#include <map>
#include <optional>
#include <sys/socket.h>
#include <utility>

#include "controlplane/slow_path/kernel_network.h"
#include "controlplane/slow_path/memberships.h"
#include "controlplane/slow_path/net_namespace.h"
#include "controlplane/slow_path/querier_watch.h"
#include "controlplane/slow_path/queries.h"
#include "controlplane/slow_path/twin.h"
#include "dataplane/base/device_string.h"

namespace castgate {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kTurn = std::chrono::seconds(1);

Instant now() {
  return Instant{std::chrono::duration_cast<Nanoseconds>(Clock::now().time_since_epoch()).count()};
}

}  // namespace

class SlowPath::Body {
 public:
  Body(boost::asio::io_context& io, const Spec& spec, Runtime& runtime, Alarms alarms, Asked asked)
      : io_(io),
        spec_(spec),
        runtime_(runtime),
        alarms_(std::move(alarms)),
        wanted_(std::move(asked.wanted)),
        timer_(io),
        hops_(io, spec, std::move(asked.changed), std::move(asked.routes_changed)) {}

  Result<void> start();
  Result<void> follow();
  void take(const HostFrame& frame);
  const NetNamespace* space() const noexcept { return space_ ? &*space_ : nullptr; }
  HopFinder& hops() noexcept { return hops_; }
  std::uint64_t filtered() const noexcept { return filtered_; }

 private:
  // A network with legs' groups: who asks for them there, and how they are refreshed.
  struct Watched {
    HostNetwork network;
    std::unique_ptr<KernelNetwork> kernel;  // else the port's twin
    QuerierWatch igmp{now()};
    QuerierWatch mld{now()};
  };

  Result<void> start_network(const HostNetwork& network, MacAddress mac);
  Result<void> follow(Watched& watched, const HostNetwork& wanted);
  Result<void> start_on_kernel(const HostNetwork& network);
  Result<void> join(Memberships& memberships, unsigned interface, const HostNetwork& network);
  void watch(const HostNetwork& network);
  void heard(unsigned port, const MembershipQuery& query);
  bool is_forged(const HostFrame& frame) const;
  void turn();
  void refresh(Watched& watched, bool v6);
  void judge_queriers(Instant at);

  boost::asio::io_context& io_;
  const Spec& spec_;
  Runtime& runtime_;
  Alarms alarms_;
  WantedStreams wanted_;
  boost::asio::steady_timer timer_;
  HopFinder hops_;
  std::optional<NetNamespace> space_;
  std::map<std::pair<unsigned, VlanTags>, std::unique_ptr<Twin>> twins_;  // by port and network
  std::list<Watched> watched_;
  Memberships here_{datagram_socket};
  Memberships there_{[this](int family) -> Result<UniqueFd> {
    Result<UniqueFd> fd;
    const auto ran = space_->run([&]() -> Result<void> {
      fd = datagram_socket(family);
      return {};
    });
    if (!ran) return std::unexpected(ran.error());
    return fd;
  }};
  Instant turned_ = now();
  std::uint64_t filtered_ = 0;
};

Result<void> SlowPath::Body::start() {
  const Snapshot snapshot = runtime_.snapshot();
  for (const auto& network : host_networks(spec_, wanted_)) {
    auto good = start_network(network, snapshot.ports[network.port].mac);
    if (!good) return good;
  }
  turn();
  return {};
}

Result<void> SlowPath::Body::follow() {
  const auto same = [](const HostNetwork& a, const HostNetwork& b) {
    return a.port == b.port && a.spec.tags == b.spec.tags;
  };
  const std::vector<HostNetwork> networks = host_networks(spec_, wanted_);
  for (Watched& watched : watched_) {
    const auto wanted = std::ranges::find_if(
        networks, [&](const HostNetwork& network) { return same(network, watched.network); });
    HostNetwork nothing{.port = watched.network.port, .spec = watched.network.spec};
    if (auto good = follow(watched, wanted == networks.end() ? nothing : *wanted); !good)
      return good;
  }
  for (const HostNetwork& network : networks) {
    const bool wanted = !network.groups4.empty() || !network.groups6.empty();
    const bool known = std::ranges::any_of(
        watched_, [&](const Watched& watched) { return same(network, watched.network); });
    if (!wanted || known) continue;
    const MacAddress mac = runtime_.snapshot().ports[network.port].mac;
    if (auto good = start_network(network, mac); !good) return good;
  }
  return {};
}

Result<void> SlowPath::Body::follow(Watched& watched, const HostNetwork& wanted) {
  const HostNetwork& own = watched.network;
  Memberships& memberships = watched.kernel ? here_ : there_;
  const unsigned interface =
      watched.kernel ? watched.kernel->interface() : twins_[{own.port, own.spec.tags}]->interface();
  for (const auto groups : {&HostNetwork::groups4, &HostNetwork::groups6}) {
    auto good = memberships.follow(interface, own.*groups, wanted.*groups);
    if (!good) return fail(fmt::format("{}: {}", name_of(spec_, own), good.error().text));
  }
  watched.network.groups4 = wanted.groups4;
  watched.network.groups6 = wanted.groups6;
  return watched.kernel ? watched.kernel->set_groups(wanted) : Result<void>();
}

Result<void> SlowPath::Body::start_network(const HostNetwork& network, MacAddress mac) {
  const PortSpec& spec = spec_.ports[network.port];
  if (kernel_is_host(spec.device)) {
    if (network.groups4.empty() && network.groups6.empty()) return {};
    if (auto good = start_on_kernel(network); !good) {
      return fail(fmt::format("port {}: {}", spec.name, good.error().text));
    }
    return {};
  }
  if (!has_addresses(spec)) return {};
  if (!space_) {
    auto space = NetNamespace::make();
    if (!space) return std::unexpected(space.error());
    space_ = std::move(*space);
  }
  const VlanTags tags = network.spec.tags;
  auto& twin = twins_[{network.port, tags}];
  if (!twin) {
    auto made = Twin::make(io_, *space_, spec, mac, network);
    if (!made) return std::unexpected(made.error());
    twin = std::move(*made);
    twin->start([this, port = network.port, tags](FrameView frame) {
      runtime_.inject(port, tagged(frame, tags));
    });
    auto known = hops_.add_twin(network.port, tags, twin->interface(), *space_);
    if (!known) return known;
  }
  if (auto good = join(there_, twin->interface(), network); !good) return good;
  watch(network);
  return {};
}

Result<void> SlowPath::Body::start_on_kernel(const HostNetwork& network) {
  auto kernel = KernelNetwork::open(
      io_, spec_.ports[network.port].device, network,
      [this, port = network.port, tags = network.spec.tags](MembershipQuery query) {
        query.tags = tags;
        heard(port, query);
      });
  if (!kernel) return std::unexpected(kernel.error());
  if (auto good = join(here_, (*kernel)->interface(), network); !good) return good;
  watch(network);
  watched_.back().kernel = std::move(*kernel);
  return {};
}

Result<void> SlowPath::Body::join(Memberships& memberships, unsigned interface,
                                  const HostNetwork& network) {
  for (const auto* groups : {&network.groups4, &network.groups6}) {
    for (const auto& group : *groups) {
      auto good = memberships.join(interface, group);
      if (!good) return fail(fmt::format("{}: {}", name_of(spec_, network), good.error().text));
    }
  }
  return {};
}

void SlowPath::Body::watch(const HostNetwork& network) {
  if (network.groups4.empty() && network.groups6.empty()) return;
  watched_.push_back({.network = network, .kernel = nullptr});
}

void SlowPath::Body::heard(unsigned port, const MembershipQuery& query) {
  for (auto& watched : watched_) {
    if (watched.network.port != port || watched.network.spec.tags != query.tags) continue;
    (query.is_v6() ? watched.mld : watched.igmp).heard(now(), query.interval);
  }
}

bool SlowPath::Body::is_forged(const HostFrame& frame) const {
  const auto query = query_in_frame(frame.bytes);
  if (!query || !forges_old_igmp(frame.bytes)) return false;
  return std::ranges::any_of(spec_.ports[frame.port].networks, [&](const NetworkSpec& network) {
    return network.igmp == IgmpVersion::V3 && network.tags == query->tags;
  });
}

void SlowPath::Body::take(const HostFrame& frame) {
  constexpr std::size_t kEthernet = 14;
  if (frame.bytes.size() < kEthernet) return;
  const auto twin = twins_.find({frame.port, tags_of(frame.bytes)});
  if (twin == twins_.end()) return;
  if (is_forged(frame)) {
    ++filtered_;
    return;
  }
  const auto query = query_in_frame(frame.bytes);
  if (query && query->general) heard(frame.port, *query);
  twin->second->write(untagged(frame.bytes));
}

void SlowPath::Body::turn() {
  const Instant at = now();
  const Nanoseconds pause = at - turned_ - kTurn;
  turned_ = at;
  for (auto& watched : watched_) {
    if (pause > kTurn) {
      watched.igmp.pardon(pause);
      watched.mld.pardon(pause);
    }
    if (!watched.network.groups4.empty() && watched.igmp.refresh_due(at)) refresh(watched, false);
    if (!watched.network.groups6.empty() && watched.mld.refresh_due(at)) refresh(watched, true);
  }
  judge_queriers(at);
  timer_.expires_after(kTurn);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) turn();
  });
}

void SlowPath::Body::refresh(Watched& watched, bool v6) {
  if (watched.kernel) return watched.kernel->refresh(v6);
  const auto& network = watched.network;
  twins_[{network.port, network.spec.tags}]->write(v6 ? mld_general_query() : igmp_general_query());
}

void SlowPath::Body::judge_queriers(Instant at) {
  for (const auto& watched : watched_) {
    const std::string where = name_of(spec_, watched.network);
    const bool missing = (!watched.network.groups4.empty() && watched.igmp.absent(at)) ||
                         (!watched.network.groups6.empty() && watched.mld.absent(at));
    if (!missing) {
      alarms_.querier(where);
      continue;
    }
    alarms_.no_querier(
        where, fmt::format("nobody has asked for memberships on {} for {} s; castgate refreshes "
                           "its own, but switches there may flood or prune others: configure an "
                           "IGMP or MLD querier",
                           where, QuerierWatch::kForgotten / std::chrono::seconds(1)));
  }
}

SlowPath::SlowPath(boost::asio::io_context& io, const Spec& spec, Runtime& runtime, Alarms alarms,
                   Asked asked)
    : body_(std::make_unique<Body>(io, spec, runtime, std::move(alarms), std::move(asked))) {}
SlowPath::~SlowPath() = default;
Result<void> SlowPath::start() {
  return body_->start();
}
Result<void> SlowPath::follow() {
  return body_->follow();
}
const NetNamespace* SlowPath::twins_space() const noexcept {
  return body_->space();
}
void SlowPath::take(const HostFrame& frame) {
  body_->take(frame);
}
HopResolver& SlowPath::hops() noexcept {
  return body_->hops();
}
std::uint64_t SlowPath::filtered_queries() const noexcept {
  return body_->filtered();
}

}  // namespace castgate
