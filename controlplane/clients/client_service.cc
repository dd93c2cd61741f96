// SPDX-License-Identifier: Apache-2.0
#include "controlplane/clients/client_service.h"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include "controlplane/clients/client_orders.h"
#include "controlplane/clients/doors/proof_frame.h"

namespace castgate {
namespace {

constexpr Nanoseconds kLookEvery = std::chrono::milliseconds(100);
constexpr Nanoseconds kPause =
    std::chrono::seconds(1);  // of the control thread: leases stand still
constexpr Nanoseconds kRestoreWithin = std::chrono::seconds(2);
constexpr unsigned kRestoredPerTurn = 256;

Instant steady_now() {
  return {std::chrono::steady_clock::now().time_since_epoch().count()};
}

}  // namespace

ClientService::ClientService(boost::asio::io_context& io, const Spec& spec)
    : io_(io), spec_(spec), clients_(spec), errors_(spec, clients_) {}
ClientService::~ClientService() = default;

Result<void> ClientService::open_doors() {
  if (!spec_.doors.rest) return {};
  auto door = RestDoor::open(
      io_, {.spec = spec_,
            .clients = clients_,
            .counters = counters_,
            .send_proof = [this](const JoinOrder& order,
                                 std::string_view payload) { return send_proof(order, payload); },
            .now = steady_now,
            .ttl_of = [this](const IpAddress& peer) { return ttls_.of(peer); },
            .redirect = {}});
  if (!door) return std::unexpected(door.error());
  rest_ = *std::move(door);
  spdlog::info("clients join at {}://{}", spec_.doors.rest->tls ? "https" : "http",
               spec_.doors.rest->listen.to_string());
  return {};
}

Result<void> ClientService::open_doors_on_twins(const HttpServer::Within& within) {
  return rest_ ? rest_->listen_on_twins(within) : Result<void>();
}

Result<void> ClientService::start(Runtime& runtime) {
  runtime_ = &runtime;
  clients_.set_runtime(&runtime);
  macs_.clear();
  for (const PortSnapshot& port : runtime.snapshot().ports) macs_.push_back(port.mac);
  turned_ = steady_now();
  const bool any = std::ranges::any_of(
      spec_.streams, [](const StreamSpec& stream) { return !stream.unicasts.empty(); });
  if (!any && !rest_) return {};
  auto store = ClientStore::open(spec_.appliance.state_dir, StoreClock::of_host());
  if (!store) {
    fault_ = store.error().text;
    return std::unexpected(store.error());
  }
  store_ = *std::move(store);
  clients_.set_keeper(store_.get());
  for (StoredClient& stored : store_->take_stored()) to_restore_.push_back(std::move(stored));
  if (!to_restore_.empty()) spdlog::info("{} clients of the run before", to_restore_.size());
  restore_until_ = turned_ + kRestoreWithin;
  restore(turned_);
  return {};
}

// All are counted, the first is told.
void ClientService::give_up(const StoredClient& stored, const std::string& why) {
  if (not_restored_++ == 0) {
    spdlog::warn("{} of {} does not come back: {}", stored.order.client.to_string(),
                 stored.order.output, why);
  }
  store_->forget(stored.order);
}

// The rings to the workers take so many joins at a time: the rest comes in the next turns.
void ClientService::restore(Instant now) {
  for (unsigned i = 0; i < kRestoredPerTurn && !to_restore_.empty(); ++i) {
    const StoredClient& stored = to_restore_.front();
    const auto joined = clients_.restore(stored.order, stored.left, now);
    if (!joined && joined.error().fault == ClientFault::Busy && now < restore_until_) return;
    if (!joined) give_up(stored, joined.error().text);
    to_restore_.pop_front();
  }
  if (to_restore_.empty() && not_restored_ > 1) {
    spdlog::warn("{} clients in all do not come back", not_restored_);
  }
}

void ClientService::stop() {
  rest_.reset();
  if (store_) store_->finish();
  clients_.next_hops().set_resolver(nullptr);
  clients_.set_keeper(nullptr);
  clients_.set_runtime(nullptr);
  runtime_ = nullptr;
}

void ClientService::turn(Instant now) {
  const Nanoseconds away = now - turned_;
  turned_ = now;
  if (!to_restore_.empty()) restore(now);
  clients_.review_ways(now);
  clients_.next_hops().turn(*runtime_);
  errors_.turn(now);
  for (const std::string& line : errors_.take_lines()) spdlog::info("{}", line);
  if (away > kPause) {
    // Renewals may wait in our sockets: they are read before anybody's lease is judged.
    clients_.stand_still(away);
    spdlog::warn("the control thread was away for {} ms: leases end so much later",
                 std::chrono::duration_cast<std::chrono::milliseconds>(away).count());
    next_look_ = now + kLookEvery;
    return;
  }
  if (now < next_look_) return;
  next_look_ = now + kLookEvery;
  counters_.expired += clients_.expire(now);
  if (rest_) rest_->turn();
  if (store_) fault_ = store_->turn();
  if (now < next_sweep_) return;
  next_sweep_ = now + Proofs::kPatience;
  clients_.next_hops().forget_asked();
}

bool ClientService::heard(const HostFrame& frame, Instant now) {
  if (rest_) ttls_.note(frame.bytes);
  return runtime_ != nullptr && errors_.take(frame.bytes, *runtime_, now);
}

std::vector<NamedDoor> ClientService::doors() const {
  return rest_ ? std::vector<NamedDoor>{{"rest", counters_}} : std::vector<NamedDoor>{};
}

Result<void> ClientService::read_files_again() {
  return rest_ ? rest_->read_files_again() : Result<void>();
}

bool ClientService::send_proof(const JoinOrder& order, std::string_view payload) {
  if (runtime_ == nullptr) return false;
  const auto route = clients_.way_to(order.output, order.client);
  if (!route) return false;
  const auto next_hop = clients_.next_hops().ask(*route);
  if (!next_hop) return false;
  const unsigned port = spec_.streams[route->stream].unicasts[route->unicast].port;
  return runtime_->inject(port, proof_frame(spec_, *route, {macs_[port], *next_hop}, payload));
}

std::optional<std::string> ClientService::answer(std::string_view request, Instant now) {
  if (auto reply = answer_client_order(request, clients_, now)) return reply;
  const auto parsed = nlohmann::json::parse(request, nullptr, false);
  if (parsed != nlohmann::json{{"show", "doors"}}) return std::nullopt;
  nlohmann::json counters = nlohmann::json::object();
  for (const auto& counter : kDoorCounters) {
    counters[std::string(counter.name)] = counters_.*counter.field;
  }
  nlohmann::json icmp = nlohmann::json::object();
  for (const auto& counter : kIcmpCounters) {
    icmp[std::string(counter.name)] = errors_.counters().*counter.field;
  }
  return rest_line({{"doors", {{"rest", counters}}}, {"icmp", icmp}, {"clients", clients_.size()}});
}

}  // namespace castgate
