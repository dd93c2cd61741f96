// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/io_context.hpp>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/clients/client_store.h"
#include "controlplane/clients/client_table.h"
#include "controlplane/clients/doors/rest_door.h"
#include "controlplane/clients/path_errors.h"
#include "controlplane/clients/peer_ttls.h"
#include "controlplane/conductor/control_protocol.h"
#include "dataplane/contract/runtime.h"

namespace castgate {

// All that has to do with clients: the table, what of it is on disk, and the doors. On the thread
// of `io`.
class ClientService {
 public:
  // `spec` is the one that runs, wherever it changes.
  ClientService(boost::asio::io_context& io, const Spec& spec);
  ~ClientService();
  ClientService(const ClientService&) = delete;
  ClientService& operator=(const ClientService&) = delete;

  // Before a device is touched: doors listen, though nobody is answered yet.
  Result<void> open_doors();
  // Doors listen on the twins of ports, too.
  Result<void> open_doors_on_twins(const HttpServer::Within& within);
  // Clients of the run before come back. Returns why they cannot, where the state directory serves
  // not; the rest goes on without it.
  Result<void> start(Runtime& runtime);
  void stop();

  // Once a millisecond.
  void turn(Instant now);
  // A frame that was punted. True where it is about a client, and so not for the host stack.
  bool heard(const HostFrame& frame, Instant now);
  // Why the table cannot be written at this moment.
  const std::optional<std::string>& fault() const noexcept { return fault_; }
  // Reads certificates and tokens again.
  Result<void> read_files_again();
  // After a reload, with the spec that ran before. Returns how many clients are gone.
  unsigned follow(const Spec& before) { return clients_.follow(before); }

  // What the control socket asks of clients and doors; none where the request is something else.
  std::optional<std::string> answer(std::string_view request, Instant now);

  const ClientTable& clients() const noexcept { return clients_; }
  // As ClientTable has it.
  void routes_changed(const std::optional<IpPrefix>& to, Instant now) {
    clients_.routes_changed(to, now);
  }
  NextHops& next_hops() noexcept { return clients_.next_hops(); }
  // Does anybody want a stream?
  bool wanted(std::size_t stream) const { return clients_.demand().wanted(stream); }
  // True where wanted() has another answer than before for some stream.
  bool demand_changed(Instant now) { return clients_.demand().turn(now); }
  // Who was removed since the last call.
  std::vector<ClientGone> take_gone() { return errors_.take_gone(); }
  const IcmpCounters& icmp() const noexcept { return errors_.counters(); }
  // Those that are open.
  std::vector<NamedDoor> doors() const;

 private:
  bool send_proof(const JoinOrder& order, std::string_view payload);
  void restore(Instant now);
  void give_up(const StoredClient& stored, const std::string& why);

  boost::asio::io_context& io_;
  const Spec& spec_;
  Runtime* runtime_ = nullptr;
  ClientTable clients_;
  PathErrors errors_;
  PeerTtls ttls_;
  DoorCounters counters_;
  std::unique_ptr<ClientStore> store_;
  std::unique_ptr<RestDoor> rest_;
  std::vector<MacAddress> macs_;  // by port
  std::deque<StoredClient> to_restore_;
  unsigned not_restored_ = 0;
  Instant restore_until_;
  Instant turned_;
  Instant next_look_;
  Instant next_sweep_;
  std::optional<std::string> fault_;
};

}  // namespace castgate
