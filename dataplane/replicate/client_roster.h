// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <queue>
#include <span>
#include <string>
#include <vector>

#include "dataplane/base/error.h"
#include "dataplane/contract/client_key.h"
#include "dataplane/contract/clients.h"
#include "dataplane/contract/commands.h"
#include "dataplane/contract/spec.h"
#include "dataplane/replicate/client_vector.h"
#include "drivers/port.h"

namespace castgate {

// The control thread's side of the clients: gives slots, writes headers into them, and reads what
// was counted. A slot is given again only when the worker has seen its client leave.
class ClientRoster {
 public:
  using Vectors = std::vector<std::shared_ptr<ClientVector>>;  // by index into unicasts
  using Parts = std::vector<Vectors>;                          // each served by another worker

  struct Leaving {
    std::uint32_t slot;
    std::uint64_t ticket;
  };
  // Slots of one part of a unicast output's clients.
  struct Slots {
    std::uint32_t made = 0;  // slots below were given at least once
    std::priority_queue<std::uint32_t, std::vector<std::uint32_t>, std::greater<>> free;
    std::deque<Leaving> leaving;

    std::size_t clients() const noexcept { return made - free.size() - leaving.size(); }
  };

  // One unicast output.
  struct Output {
    std::string stream;
    UnicastSpec spec;
    std::uint16_t source_port = 0;
    unsigned mtu = 1500;
    MacAddress mac;
    std::vector<Slots> parts;  // as many as spec.fan_workers

    std::size_t clients() const noexcept;
  };

  // `before`: whose clients stay where their output does not change; null: there are none.
  ClientRoster(const Spec& spec, std::span<Port* const> ports,
               const ClientRoster* before = nullptr);

  // The clients of a stream's unicast outputs, by part; in one of them where it has none.
  const Parts& clients_of(std::size_t stream) const { return vectors_[stream]; }

  // The part that has the fewest clients: the next one is to join there.
  unsigned next_part(const ClientRoute& route) const;
  // `key`: of its own, where the output is_isolated(); null elsewhere. `done`: commands that the
  // part's worker has carried out. What is returned is to be given to it at once. An error: the
  // output has no place left.
  Result<Command> join(const ClientRoute& route, const ClientKey* key, unsigned part,
                       std::uint64_t done);
  // `ticket`: the value that `done` has, or exceeds, once the part's worker has carried this out.
  Command leave(const ClientPlace& place, std::uint64_t ticket);
  // Another way to the client, or none.
  Command change(const ClientPlace& place, const ClientRoute& route) const;

  ClientCounters counters(const ClientPlace& place) const;
  // `now` by the worker's clock.
  std::optional<SentPacket> find_sent(const ClientPlace& place, const QuotedPacket& quote,
                                      Instant now) const;

 private:
  // Before clients with keys of their own.
  void make_ciphers();
  void set_key(ClientChunk& chunk, unsigned at, const Output& output, const ClientKey* key) const;
  void add_output(std::size_t stream, const UnicastSpec& unicast);
  void take_over(std::size_t stream, const ClientRoster& before);
  const Output& output_of(const ClientRoute& route) const {
    return outputs_[route.stream][route.unicast];
  }

  std::vector<Parts> vectors_;                // by stream
  std::vector<std::vector<Output>> outputs_;  // likewise
  std::unique_ptr<const Ciphers> ciphers_;    // where clients have keys of their own
};

}  // namespace castgate
