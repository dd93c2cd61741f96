// SPDX-License-Identifier: Apache-2.0
#include "controlplane/clients/doors/proofs.h"

#include <algorithm>
#include <openssl/crypto.h>

#include "controlplane/clients/doors/proof_frame.h"

namespace castgate {

void Proofs::send(Waiting& waiting, Instant now) {
  const bool is_sent = sender_(waiting.order, proof_payload(waiting.nonce));
  waiting.again = now + (is_sent ? kAgain : kUnresolved);
  if (!is_sent) return;
  ++waiting.sent;
  ++counters_.proofs_sent;
}

const Proofs::Waiting* Proofs::ask(JoinOrder order, const IpAddress& peer, Instant now) {
  const auto same = std::ranges::find_if(waiting_, [&](const auto& other) {
    const JoinOrder& there = other.second.order;
    return there.client == order.client && there.output == order.output &&
           other.second.peer == peer;
  });
  if (same != waiting_.end()) return &same->second;
  if (waiting_.size() >= kMost) return nullptr;
  const ClientId id = order.id.value_or(ClientId::random());
  // Under an id that has a proof already a second one would take the place of the first.
  if (waiting_.contains(id)) return nullptr;
  order.id = id;
  Waiting& waiting = waiting_[id];
  waiting.id = id;
  waiting.peer = peer;
  waiting.order = std::move(order);
  waiting.nonce = ClientId::random();
  waiting.ends = now + kPatience;
  send(waiting, now);
  return &waiting;
}

const Proofs::Waiting* Proofs::find(const ClientId& id) const {
  const auto found = waiting_.find(id);
  return found == waiting_.end() ? nullptr : &found->second;
}

std::optional<JoinOrder> Proofs::prove(const ClientId& id, std::string_view nonce) {
  const auto found = waiting_.find(id);
  const auto given = ClientId::parse(nonce);
  if (found == waiting_.end() || !given) return {};
  if (CRYPTO_memcmp(given->bytes.data(), found->second.nonce.bytes.data(), given->bytes.size()) !=
      0) {
    ++counters_.proofs_failed;
    return {};
  }
  JoinOrder order = std::move(found->second.order);
  waiting_.erase(found);
  return order;
}

void Proofs::turn(Instant now) {
  counters_.proofs_expired += boost::unordered::erase_if(
      waiting_, [&](const auto& waiting) { return waiting.second.ends <= now; });
  for (auto& [id, waiting] : waiting_) {
    if (waiting.again <= now && waiting.sent < kSendings) send(waiting, now);
  }
}

}  // namespace castgate
