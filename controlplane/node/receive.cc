// SPDX-License-Identifier: Apache-2.0
#include "controlplane/node/receive.h"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <cstdio>
#include <fmt/format.h>
#include <unistd.h>

#include "controlplane/node/http_client.h"
#include "controlplane/node/progress.h"
#include "controlplane/node/receive_plan.h"
#include "controlplane/node/receiver.h"
#include "controlplane/node/relays.h"
#include "controlplane/report/tell.h"

namespace castgate {
namespace {

using namespace std::chrono_literals;

constexpr auto kTurn = 50ms;  // of the sessions' clock
constexpr Nanoseconds kReport = 1s;
constexpr Nanoseconds kFarewell = 2s;  // for relays to be told that we leave

// One run of `receive`: sessions and reports on this thread, packets on the receiver's.
class Reception {
 public:
  Reception(const ReceiveOptions& options, ReceivePlan plan);
  int run(std::unique_ptr<HttpClient> http);
  boost::asio::io_context& io() { return io_; }

 private:
  void turn();
  void drive(unsigned leg, Instant now);
  void send(unsigned leg, const RelayRequest& request);
  void admit(unsigned leg);
  void tell_state(Relay& relay);
  void judge(Instant now);
  void report(Instant now);
  void end(int code, const std::string& why);
  void finish();
  void say(const std::string& text);
  void await_hangup();
  void end_as_asked() { end(receiver_.sums().first_at ? kExitOk : kExitNothing, {}); }
  Progress progress(Instant now) const;

  const ReceiveOptions& options_;
  boost::asio::io_context io_;
  boost::asio::steady_timer timer_{io_};
  boost::asio::signal_set signals_{io_, SIGINT, SIGTERM};
  boost::asio::signal_set hangups_{io_, SIGHUP};
  std::vector<Relay> relays_;
  std::unique_ptr<HttpClient> http_;
  Receiver receiver_;
  bool terminal_ = isatty(STDERR_FILENO) != 0;
  bool came_to_end_ = false;  // the receiver says
  bool ending_ = false;
  int code_ = kExitOk;
  unsigned farewells_ = 0;
  Instant started_ = Receiver::now();
  Instant ended_;
  Instant reported_at_ = started_;
  ReceiverSums reported_;
};

Reception::Reception(const ReceiveOptions& options, ReceivePlan plan)
    : options_(options),
      relays_(make_relays(plan.relays)),
      receiver_({.max_skew = options.max_skew,
                 .media = plan.media,
                 .most = options.packets != 0 ? options.packets : UINT64_MAX},
                std::move(plan.sockets), std::move(plan.openers), std::move(plan.sink),
                {.proof =
                     [this](unsigned leg, std::string nonce, const Endpoint& from) {
                       boost::asio::post(io_, [this, leg, nonce = std::move(nonce), from] {
                         relays_[leg].session.proof_came(nonce, from, Receiver::now());
                         drive(leg, Receiver::now());
                       });
                     },
                 .ended = [this] { boost::asio::post(io_, [this] { came_to_end_ = true; }); }}) {
  for (const std::string& warning : plan.warnings) say("warning: " + warning);
}

void Reception::say(const std::string& text) {
  if (options_.json) return;
  const bool over = terminal_ || options_.progress;
  tell("{}castgate-node: {}\n", over && terminal_ ? "\r\x1b[K" : "", text);
}

void Reception::send(unsigned leg, const RelayRequest& request) {
  http_->ask(request, [this, leg](const Result<HttpAnswer>& answer) {
    if (ending_) return;
    const Instant now = Receiver::now();
    relays_[leg].session.answered(answer, now);
    admit(leg);
    drive(leg, now);
  });
}

// Before the nonce is sent, so that no packet of the stream comes from somebody unknown.
void Reception::admit(unsigned leg) {
  Relay& relay = relays_[leg];
  const auto& client = relay.session.client();
  if (!client || (client->lacks_key() && !relay.admitted) ||
      (relay.admitted && relay.admitted->source == client->source &&
       relay.admitted->sequence == client->sequence && relay.admitted->has_key_of(*client))) {
    return;
  }
  auto opener = opener_of(*client, relay.admitted, relays_.size() > 1);
  if (!opener) return say(fmt::format("{}: {}", relay.name, opener.error().text));
  if (receiver_.admit(leg, client->source, client->sequence, *std::move(opener))) {
    relay.admitted = client;
    return;
  }
  say(fmt::format("{}: its stream is numbered otherwise (sequence: {}): not the same stream",
                  relay.name, sequence_name(client->sequence)));
  if (const auto farewell = relay.session.leave()) http_->ask(*farewell, [](const auto&) {});
}

void Reception::drive(unsigned leg, Instant now) {
  if (ending_) return;
  if (const auto request = relays_[leg].session.next(now)) send(leg, *request);
  tell_state(relays_[leg]);
}

void Reception::tell_state(Relay& relay) {
  const std::string& complaint = relay.session.complaint();
  std::string state = fmt::format("{}{}{}", state_name(relay.session.state()),
                                  complaint.empty() ? "" : ": ", complaint);
  if (state == relay.said || state == "away") return;
  relay.said = std::move(state);
  say(fmt::format("{}: {}", relay.name, relay.said));
}

void Reception::judge(Instant now) {
  const ReceiverSums sums = receiver_.sums();
  if (const auto failure = receiver_.failure()) return end(kExitNoOutput, failure->text);
  if (came_to_end_) return end(kExitOk, {});
  if (sums.first_at) {
    const Nanoseconds asked{static_cast<std::int64_t>(options_.seconds * 1e9)};
    if (asked.count() != 0 && *sums.first_at + asked <= now) end(kExitOk, {});
    return;
  }
  const auto joined = [](const Relay& relay) { return relay.session.joins() != 0; };
  const auto refused = [](const Relay& relay) { return relay.session.refused(); };
  const bool any = std::ranges::any_of(relays_, joined);
  if (!any && std::ranges::all_of(relays_, refused)) {
    return end(kExitNothing, "every relay refuses us" + complaints_of(relays_));
  }
  if (started_ + options_.patience > now) return;
  end(kExitNothing,
      any ? "joined, but no packet came: is the UDP port open, and does the stream flow?"
          : "no relay could be joined" + complaints_of(relays_));
}

Progress Reception::progress(Instant now) const {
  Progress made;
  made.sums = receiver_.sums();
  for (std::size_t i = 0; i < relays_.size(); ++i) {
    const RelaySession& session = relays_[i].session;
    const bool silent = session.state() == RelaySession::State::Active &&
                        made.sums.legs[i].received == reported_.legs[i].received;
    made.relays.push_back(
        {relays_[i].name, session.state(), session.complaint(), silent, session.joins()});
  }
  if (made.sums.first_at) {
    made.seconds = static_cast<double>((now - *made.sums.first_at).count()) / 1e9;
  }
  const double span = static_cast<double>((now - reported_at_).count()) / 1e9;
  if (span <= 0) return made;
  const MergeSums& merged = made.sums.merged;
  made.rate_bps = static_cast<double>(merged.bytes - reported_.merged.bytes) * 8 / span;
  made.rate_pps = static_cast<double>(merged.packets - reported_.merged.packets) / span;
  return made;
}

void Reception::report(Instant now) {
  const Progress made = progress(now);
  reported_at_ = now;
  reported_ = made.sums;
  if (options_.json) {
    tell("{}\n", progress_json(made));
  } else if (terminal_) {
    tell("\r\x1b[K{}", progress_line(made));
  } else if (options_.progress) {
    tell("{}\n", progress_line(made));
  }
}

void Reception::turn() {
  const Instant now = Receiver::now();
  if (ending_) {
    if (farewells_ == 0 || ended_ + kFarewell <= now) return finish();
  } else {
    const ReceiverSums sums = receiver_.sums();
    for (unsigned leg = 0; leg < relays_.size(); ++leg) {
      // A relay that started anew seals with another key, which it tells when it is asked.
      const auto& admitted = relays_[leg].admitted;
      const std::uint64_t forged = admitted && admitted->sealed ? sums.legs[leg].forged : 0;
      relays_[leg].session.carried(sums.legs[leg].received - forged, now);
      drive(leg, now);
    }
    if (now - reported_at_ >= kReport) report(now);
    judge(now);
  }
  timer_.expires_after(kTurn);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) turn();
  });
}

void Reception::end(int code, const std::string& why) {
  if (ending_) return;
  code_ = code;
  if (!why.empty()) tell("castgate-node: {}\n", why);
  receiver_.stop();
  if (const auto failure = receiver_.failure(); failure && code == kExitOk) {
    code_ = kExitNoOutput;
    tell("castgate-node: {}\n", failure->text);
  }
  ending_ = true;
  ended_ = Receiver::now();
  for (Relay& relay : relays_) {
    const auto farewell = relay.session.leave();
    if (!farewell) continue;
    ++farewells_;
    http_->ask(*farewell, [this](const auto&) { --farewells_; });
  }
}

void Reception::finish() {
  Progress made = progress(ended_);
  made.last = true;
  if (options_.json) {
    tell("{}\n", progress_json(made));
  } else {
    tell("{}{}", terminal_ ? "\r\x1b[K" : "", summary_text(made));
  }
  io_.stop();
}

// The files that --open names are read again; where one is wrong, all stays as it was. A terminal
// that is closed sends the same signal: it ends us as it does others.
void Reception::await_hangup() {
  hangups_.async_wait([this](const boost::system::error_code& error, int) {
    if (error) return;
    if (terminal_ && tcgetpgrp(STDERR_FILENO) < 0) return end_as_asked();
    await_hangup();
    if (options_.open.empty()) return say("SIGHUP: there are no keys to read again (--open)");
    auto openers = make_openers(options_.open, relays_.size());
    if (!openers) {
      tell("castgate-node: SIGHUP: {}\n", openers.error().text);
      return;
    }
    receiver_.renew(std::move(*openers));
    say("SIGHUP: the keys were read again");
  });
}

int Reception::run(std::unique_ptr<HttpClient> http) {
  http_ = std::move(http);
  signals_.async_wait([this](const boost::system::error_code& error, int) {
    if (!error) end_as_asked();
  });
  await_hangup();
  receiver_.start();
  turn();
  io_.run();
  return code_;
}

}  // namespace

int complain_of_use(const std::string& text) {
  tell("castgate-node: {}\n", text);
  return kExitBadUse;
}

int receive_command(const ReceiveOptions& options) {
  std::signal(SIGPIPE, SIG_IGN);
  auto plan = plan_reception(options);
  if (!plan) return complain_of_use(plan.error().text);
  const HttpClient::Config config{.token = plan->token, .ca_file = options.ca_file};
  Reception reception(options, std::move(*plan));
  auto http = HttpClient::open(reception.io(), config);
  if (!http) return complain_of_use(http.error().text);
  return reception.run(std::move(*http));
}

}  // namespace castgate
