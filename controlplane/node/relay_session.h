// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <random>
#include <string>
#include <string_view>

#include "controlplane/node/relay_answers.h"
#include "controlplane/node/relay_url.h"
#include "dataplane/base/instant.h"

namespace castgate {

enum class HttpMethod : std::uint8_t { Post, Put, Delete };

struct RelayRequest {
  HttpMethod method = HttpMethod::Post;
  HttpPlace to;
  std::string body;  // JSON
};

struct HttpAnswer {
  unsigned status = 0;
  std::string location;
  unsigned retry_after_s = 0;  // 0: not said
  std::string body;
};

// A receiver's dealings with one relay: it joins, proves its address, renews at a third of the
// lease, joins again where the relay has forgotten it, and leaves. It knows no socket and no clock:
// whoever drives it carries next() to the relay and gives back what was answered. One request is
// under way at a time.
class RelaySession {
 public:
  struct Config {
    HttpPlace place;      // of the stream's clients
    std::string address;  // where the packets shall go; empty: where the requests come from
    std::uint16_t udp_port = 0;
    bool proof = true;  // false: as a stock receiver joins, that cannot answer
  };
  enum class State : std::uint8_t { Away, Unproved, Active, Left };

  RelaySession(Config config, std::uint64_t seed);

  // The next request, where one is due and none under way; answered() is owed then.
  std::optional<RelayRequest> next(Instant now);
  // When next() will have something, as far as is known now.
  Instant wake() const noexcept;
  void answered(const Result<HttpAnswer>& answer, Instant now);
  // A proof came from `from`, perhaps before the answer that says who may send one.
  void proof_came(const std::string& nonce, const Endpoint& from, Instant now);
  // How many packets of the relay's came since the start: where none comes any more it is asked.
  void carried(std::uint64_t packets, Instant now);
  // The request that ends it, where the relay knows of us.
  std::optional<RelayRequest> leave();

  State state() const noexcept { return state_; }
  const std::optional<RelayClient>& client() const noexcept { return client_; }
  // The relay said that it will never do; asked again all the same, more and more rarely.
  bool refused() const noexcept { return refused_; }
  const std::string& complaint() const noexcept { return complaint_; }  // the last; empty: none
  std::uint64_t joins() const noexcept { return joins_; }               // how often it was taken

 private:
  enum class Ask : std::uint8_t { Join, Prove, Renew };
  struct Proof {
    std::string nonce;
    Endpoint from;
  };

  RelayRequest make_request() const;
  void redirected(const HttpAnswer& answer, Instant now);
  void joined(const HttpAnswer& answer, Instant now);
  void proved(const HttpAnswer& answer, Instant now);
  void renewed(const HttpAnswer& answer, Instant now);
  bool take_client(const HttpAnswer& answer, Instant now);
  void take_lease(Instant now);
  void prove_next(Instant now);
  void forgotten(Instant now);
  void retry(std::string why, Instant now, unsigned least_s = 0);
  Nanoseconds jittered(Nanoseconds span);

  Config config_;
  std::mt19937_64 random_;
  State state_ = State::Away;
  Ask ask_ = Ask::Join;
  bool under_way_ = false;
  bool refused_ = false;
  unsigned failures_ = 0;
  unsigned hops_ = 0;
  Instant due_;
  Instant expires_ = kNever;  // the lease, or the time for a proof
  Instant heard_;
  std::uint64_t packets_ = 0;
  std::uint64_t joins_ = 0;
  HttpPlace join_at_;
  HttpPlace resource_;
  std::optional<RelayClient> client_;
  std::deque<Proof> proofs_;
  std::string complaint_;
};

std::string_view state_name(RelaySession::State state);

}  // namespace castgate
