// SPDX-License-Identifier: Apache-2.0
#include "controlplane/node/relay_session.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <utility>

namespace castgate {
namespace {

using namespace std::chrono_literals;

constexpr Nanoseconds kFirstRetry = 500ms;
constexpr Nanoseconds kLongestRetry = 30s;
constexpr unsigned kLongestRetryAfter = 300;  // seconds; a relay may not silence us for longer
constexpr Nanoseconds kProofTime = 11s;       // the relay gives 10
constexpr Nanoseconds kSilence = 2s;          // then an active relay is asked whether it knows us
constexpr Nanoseconds kForgottenSpread = 250ms;
constexpr std::size_t kProofsKept = 4;
constexpr unsigned kMostHops = 5;

// What asking again does not mend, unless the relay's file changes.
bool is_refusal(unsigned status) {
  return status >= 400 && status < 500 && status != 408 && status != 409 && status != 429;
}

}  // namespace

std::string_view state_name(RelaySession::State state) {
  constexpr std::array<std::string_view, 4> kNames{"away", "unproved", "active", "left"};
  return kNames[static_cast<std::size_t>(state)];
}

RelaySession::RelaySession(Config config, std::uint64_t seed)
    : config_(std::move(config)), random_(seed), join_at_(config_.place) {}

Nanoseconds RelaySession::jittered(Nanoseconds span) {
  return Nanoseconds{
      std::uniform_int_distribution<std::int64_t>(span.count() / 2, span.count())(random_)};
}

void RelaySession::retry(std::string why, Instant now, unsigned least_s) {
  complaint_ = std::move(why);
  const Nanoseconds span = std::min(kFirstRetry * (1 << std::min(failures_, 6u)), kLongestRetry);
  ++failures_;
  due_ = now + std::max<Nanoseconds>(jittered(span),
                                     std::chrono::seconds{std::min(least_s, kLongestRetryAfter)});
}

// A relay that restarted is asked by all its clients: not in the same instant.
void RelaySession::forgotten(Instant now) {
  state_ = State::Away;
  ask_ = Ask::Join;
  join_at_ = config_.place;
  hops_ = 0;
  expires_ = kNever;
  proofs_.clear();
  due_ = now + jittered(kForgottenSpread);
}

RelayRequest RelaySession::make_request() const {
  nlohmann::json body = nlohmann::json::object();
  if (ask_ == Ask::Prove) body["nonce"] = proofs_.front().nonce;
  if (ask_ != Ask::Join) return {HttpMethod::Put, resource_, body.dump()};
  body["udp_port"] = config_.udp_port;
  body["proof"] = config_.proof;
  if (!config_.address.empty()) body["address"] = config_.address;
  return {HttpMethod::Post, join_at_, body.dump()};
}

std::optional<RelayRequest> RelaySession::next(Instant now) {
  if (under_way_ || state_ == State::Left) return std::nullopt;
  if (expires_ <= now) {
    if (state_ == State::Unproved) {
      forgotten(now);
      retry("no proof came: is the UDP port open to " + client_->source.to_string() + "?", now);
    } else {
      forgotten(now);
    }
  }
  if (due_ > now) return std::nullopt;
  under_way_ = true;
  return make_request();
}

Instant RelaySession::wake() const noexcept {
  return under_way_ || state_ == State::Left ? kNever : std::min(due_, expires_);
}

void RelaySession::answered(const Result<HttpAnswer>& answer, Instant now) {
  under_way_ = false;
  if (state_ == State::Left) return;
  if (!answer) return retry(answer.error().text, now);
  if (answer->status == 307 || answer->status == 308) return redirected(*answer, now);
  hops_ = 0;
  switch (ask_) {
    case Ask::Join:
      return joined(*answer, now);
    case Ask::Prove:
      return proved(*answer, now);
    case Ask::Renew:
      return renewed(*answer, now);
  }
}

void RelaySession::redirected(const HttpAnswer& answer, Instant now) {
  HttpPlace& asked = ask_ == Ask::Join ? join_at_ : resource_;
  const auto place = parse_location(answer.location, asked);
  if (!place || ++hops_ > kMostHops) {
    join_at_ = config_.place;
    hops_ = 0;
    return retry(place ? "relays send us round in a circle" : place.error().text, now);
  }
  asked = *place;
  due_ = now;
}

bool RelaySession::take_client(const HttpAnswer& answer, Instant now) {
  auto client = parse_relay_client(answer.body);
  if (!client) {
    retry(client.error().text, now);
    return false;
  }
  client_ = std::move(*client);
  refused_ = false;
  return true;
}

void RelaySession::take_lease(Instant now) {
  if (state_ != State::Active) {
    heard_ = now;
    ++joins_;
  }
  state_ = State::Active;
  ask_ = Ask::Renew;
  failures_ = 0;
  complaint_.clear();
  proofs_.clear();
  expires_ = now + client_->lease;
  due_ = now + Nanoseconds{client_->lease} / 3;
}

void RelaySession::joined(const HttpAnswer& answer, Instant now) {
  if (answer.status < 200 || answer.status > 202) {
    refused_ = is_refusal(answer.status);
    join_at_ = config_.place;
    return retry(parse_problem(answer.status, answer.body), now, answer.retry_after_s);
  }
  if (!take_client(answer, now)) return;
  resource_ = join_at_;
  resource_.path += "/" + client_->id;
  if (client_->active) return take_lease(now);
  state_ = State::Unproved;
  expires_ = now + kProofTime;
  std::erase_if(proofs_, [&](const Proof& proof) { return proof.from != client_->source; });
  prove_next(now);
}

void RelaySession::prove_next(Instant now) {
  ask_ = Ask::Prove;
  due_ = proofs_.empty() ? kNever : now;
}

void RelaySession::proof_came(const std::string& nonce, const Endpoint& from, Instant now) {
  if (state_ == State::Active || state_ == State::Left) return;
  const bool known = state_ == State::Unproved;
  if (known && from != client_->source) return;
  const bool repeated =
      std::ranges::any_of(proofs_, [&](const Proof& proof) { return proof.nonce == nonce; });
  if (repeated) return;
  if (proofs_.size() == kProofsKept) {  // the one that may be under way stays
    proofs_.erase(proofs_.begin() + 1);
  }
  proofs_.push_back({nonce, from});
  if (known && due_ == kNever) due_ = now;
}

void RelaySession::proved(const HttpAnswer& answer, Instant now) {
  if (answer.status == 200) {
    if (!take_client(answer, now)) return;
    if (client_->active) return take_lease(now);
  }
  if (answer.status == 404) {
    forgotten(now);
    return retry(parse_problem(answer.status, answer.body), now);
  }
  if (answer.status == 200 || answer.status == 403) {  // another's nonce
    proofs_.pop_front();
    return prove_next(now);
  }
  retry(parse_problem(answer.status, answer.body), now, answer.retry_after_s);
}

void RelaySession::renewed(const HttpAnswer& answer, Instant now) {
  if (answer.status == 404) return forgotten(now);
  if (answer.status != 200) {
    return retry(parse_problem(answer.status, answer.body), now, answer.retry_after_s);
  }
  if (!take_client(answer, now)) return;
  if (!client_->active) return forgotten(now);
  take_lease(now);
}

void RelaySession::carried(std::uint64_t packets, Instant now) {
  if (packets != packets_ || state_ != State::Active) {
    packets_ = packets;
    heard_ = now;
  } else if (heard_ + kSilence <= now) {
    heard_ = now;
    if (!under_way_) due_ = std::min(due_, now);
  }
}

std::optional<RelayRequest> RelaySession::leave() {
  const bool known = state_ == State::Active || state_ == State::Unproved;
  state_ = State::Left;
  if (!known) return std::nullopt;
  return RelayRequest{HttpMethod::Delete, resource_, {}};
}

}  // namespace castgate
