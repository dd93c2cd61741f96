// SPDX-License-Identifier: Apache-2.0
// A relay's side of the talk, said by the test: no socket, no clock.
#include <chrono>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <gtest/gtest.h>

#include "controlplane/node/relay_session.h"

namespace castgate {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

const std::string kId(32, 'a');
const std::string kNonce(32, 'b');

class SessionTest : public testing::Test {
 protected:
  static RelaySession::Config config() {
    return {.place = *parse_relay_url("rest://10.0.0.1/news1"), .udp_port = 6000};
  }
  static HttpAnswer client(unsigned status, const char* state, unsigned lease = 60) {
    const json body{{"id", kId},
                    {"source", {{"address", "10.0.0.9"}, {"udp_port", 5000}}},
                    {"sequence", "rtp"},
                    {"state", state},
                    {"lease_s", lease}};
    return {.status = status, .body = body.dump()};
  }
  static HttpAnswer problem(unsigned status) {
    return {.status = status, .body = R"({"detail":"no"})"};
  }

  // Goes forward until a request is due, `most` at most.
  std::optional<RelayRequest> await(Nanoseconds most) {
    const Instant end = now_ + most;
    for (;;) {
      if (auto request = session_.next(now_)) return request;
      const Instant wake = session_.wake();
      if (wake > end) break;
      now_ = std::max(now_ + Nanoseconds{1}, wake);
    }
    now_ = end;
    return std::nullopt;
  }
  void answer(const Result<HttpAnswer>& with) { session_.answered(with, now_); }
  void join() {
    ASSERT_TRUE(await(1s));
    answer(client(201, "active"));
    ASSERT_EQ(session_.state(), RelaySession::State::Active);
  }

  Endpoint source_ = *Endpoint::parse("10.0.0.9:5000");
  Instant now_{1'000'000'000'000};
  RelaySession session_{config(), 1};
};

TEST_F(SessionTest, joins_at_once_and_asks_for_a_proof) {
  const auto request = session_.next(now_);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->method, HttpMethod::Post);
  EXPECT_EQ(request->to.to_string(), "http://10.0.0.1:8080/v1/streams/news1/clients");
  EXPECT_EQ(json::parse(request->body), json({{"udp_port", 6000}, {"proof", true}}));
  EXPECT_FALSE(session_.next(now_)) << "one at a time";
}

TEST_F(SessionTest, proves_its_address_and_is_active) {
  ASSERT_TRUE(await(1s));
  answer(client(202, "unproved"));
  EXPECT_EQ(session_.state(), RelaySession::State::Unproved);
  EXPECT_FALSE(session_.next(now_ + 1s)) << "nothing to say before the proof";
  session_.proof_came(kNonce, source_, now_);
  const auto request = await(1s);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->method, HttpMethod::Put);
  EXPECT_EQ(request->to.path, "/v1/streams/news1/clients/" + kId);
  EXPECT_EQ(json::parse(request->body), json({{"nonce", kNonce}}));
  answer(client(200, "active"));
  EXPECT_EQ(session_.state(), RelaySession::State::Active);
  EXPECT_EQ(session_.joins(), 1);
}

TEST_F(SessionTest, a_proof_that_overtakes_the_answer_is_kept) {
  ASSERT_TRUE(await(1s));
  session_.proof_came(kNonce, source_, now_);
  answer(client(202, "unproved"));
  EXPECT_TRUE(session_.next(now_));
}

TEST_F(SessionTest, a_strangers_proof_is_not_sent_on) {
  ASSERT_TRUE(await(1s));
  session_.proof_came(std::string(32, 'c'), *Endpoint::parse("10.0.0.8:5000"), now_);
  answer(client(202, "unproved"));
  session_.proof_came(std::string(32, 'd'), *Endpoint::parse("10.0.0.9:5001"), now_);
  EXPECT_FALSE(session_.next(now_));
}

TEST_F(SessionTest, a_wrong_nonce_gives_way_to_the_next) {
  ASSERT_TRUE(await(1s));
  answer(client(202, "unproved"));
  session_.proof_came(std::string(32, 'c'), source_, now_);
  ASSERT_TRUE(await(1s));
  session_.proof_came(kNonce, source_, now_);
  answer(problem(403));
  const auto request = await(1s);
  ASSERT_TRUE(request);
  EXPECT_EQ(json::parse(request->body)["nonce"], kNonce);
}

TEST_F(SessionTest, without_a_proof_it_joins_again) {
  ASSERT_TRUE(await(1s));
  answer(client(202, "unproved"));
  const Instant asked = now_;
  const auto request = await(20s);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->method, HttpMethod::Post);
  EXPECT_GE(now_ - asked, 10s) << "a relay repeats its proof";
}

TEST_F(SessionTest, renews_at_a_third_of_the_lease) {
  join();
  const Instant joined = now_;
  const auto request = await(60s);
  ASSERT_TRUE(request);
  EXPECT_EQ(now_ - joined, 20s);
  EXPECT_EQ(request->method, HttpMethod::Put);
  EXPECT_EQ(request->body, "{}");
  answer(client(200, "active", 15));
  const Instant renewed = now_;
  ASSERT_TRUE(await(60s));
  EXPECT_EQ(now_ - renewed, 5s) << "of the lease that was given last";
}

TEST_F(SessionTest, a_relay_that_is_away_is_asked_again_within_the_lease) {
  join();
  unsigned asked = 0;
  const Instant until = now_ + 59s;
  while (await(until - now_)) {
    ++asked;
    EXPECT_EQ(session_.state(), RelaySession::State::Active);
    answer(fail("connection refused"));
  }
  EXPECT_GE(asked, 4);
  EXPECT_LE(asked, 12);
  const auto request = await(60s);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->method, HttpMethod::Post) << "the lease has run out";
}

TEST_F(SessionTest, joins_again_where_the_relay_has_forgotten) {
  join();
  ASSERT_TRUE(await(30s));
  answer(problem(404));
  EXPECT_NE(session_.state(), RelaySession::State::Active);
  const Instant told = now_;
  const auto request = await(1s);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->method, HttpMethod::Post);
  EXPECT_GT(now_, told) << "not with everybody else in the same instant";
  answer(client(201, "active"));
  EXPECT_EQ(session_.joins(), 2);
}

TEST_F(SessionTest, a_silent_relay_is_asked_whether_it_knows_us) {
  join();
  session_.carried(100, now_);
  now_ = now_ + 1s;
  session_.carried(100, now_);
  EXPECT_FALSE(session_.next(now_));
  now_ = now_ + 1s;
  session_.carried(100, now_);
  EXPECT_TRUE(session_.next(now_));
  answer(client(200, "active"));
  session_.carried(200, now_);
  EXPECT_FALSE(session_.next(now_ + 19s));
}

TEST_F(SessionTest, backs_off_with_jitter) {
  std::vector<Nanoseconds> pauses;
  Instant last = now_;
  for (unsigned i = 0; i < 12; ++i) {
    ASSERT_TRUE(await(60s));
    pauses.push_back(now_ - last);
    last = now_;
    answer(fail("connection refused"));
  }
  EXPECT_EQ(pauses[0], 0s);
  EXPECT_GE(pauses[1], 250ms);
  EXPECT_LE(pauses[1], 500ms);
  for (std::size_t i = 9; i < pauses.size(); ++i) {
    EXPECT_GE(pauses[i], 15s);
    EXPECT_LE(pauses[i], 30s);
  }
  EXPECT_NE(pauses[10], pauses[11]);
  EXPECT_FALSE(session_.refused()) << "it never answered";
}

TEST_F(SessionTest, retry_after_is_heeded_within_limits) {
  ASSERT_TRUE(await(1s));
  HttpAnswer busy = problem(503);
  busy.retry_after_s = 7;
  Instant asked = now_;
  answer(busy);
  ASSERT_TRUE(await(60s));
  EXPECT_EQ(now_ - asked, 7s);
  busy.retry_after_s = 1'000'000;
  asked = now_;
  answer(busy);
  ASSERT_TRUE(await(1h));
  EXPECT_EQ(now_ - asked, 300s);
}

TEST_F(SessionTest, knows_a_refusal_from_a_bad_moment) {
  for (const unsigned status : {401u, 403u, 404u}) {
    RelaySession session(config(), 1);
    ASSERT_TRUE(session.next(now_));
    session.answered(problem(status), now_);
    EXPECT_TRUE(session.refused()) << status;
    EXPECT_EQ(session.complaint(), fmt::format("no ({})", status));
  }
  for (const unsigned status : {409u, 429u, 500u, 503u}) {
    RelaySession session(config(), 1);
    ASSERT_TRUE(session.next(now_));
    session.answered(problem(status), now_);
    EXPECT_FALSE(session.refused()) << status;
  }
}

TEST_F(SessionTest, follows_another_appliance_and_stays_there) {
  ASSERT_TRUE(await(1s));
  answer(HttpAnswer{.status = 307, .location = "http://10.0.0.2:81/v1/streams/n/clients"});
  const auto request = session_.next(now_);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->method, HttpMethod::Post);
  EXPECT_EQ(request->to.to_string(), "http://10.0.0.2:81/v1/streams/n/clients");
  EXPECT_EQ(json::parse(request->body)["udp_port"], 6000);
  answer(client(201, "active"));
  EXPECT_EQ(await(60s)->to.to_string(), "http://10.0.0.2:81/v1/streams/n/clients/" + kId);
  answer(problem(404));
  EXPECT_EQ(await(60s)->to.host, "10.0.0.1") << "begins where it was told to";
}

TEST_F(SessionTest, a_circle_of_relays_is_left) {
  unsigned asked = 0;
  ASSERT_TRUE(await(1s));
  do {
    answer(HttpAnswer{.status = 307, .location = "/v1/streams/news1/clients"});
    ++asked;
  } while (session_.next(now_));
  EXPECT_LE(asked, 6);
  EXPECT_TRUE(session_.complaint().contains("circle")) << session_.complaint();
}

TEST_F(SessionTest, nonsense_is_a_failure_like_any_other) {
  ASSERT_TRUE(await(1s));
  answer(HttpAnswer{.status = 200, .body = "<html>"});
  EXPECT_EQ(session_.state(), RelaySession::State::Away);
  EXPECT_FALSE(session_.complaint().empty());
  EXPECT_TRUE(await(1s));
}

TEST_F(SessionTest, says_goodbye_where_it_is_known) {
  EXPECT_FALSE(RelaySession(config(), 1).leave());
  join();
  const auto farewell = session_.leave();
  ASSERT_TRUE(farewell);
  EXPECT_EQ(farewell->method, HttpMethod::Delete);
  EXPECT_EQ(farewell->to.path, "/v1/streams/news1/clients/" + kId);
  EXPECT_FALSE(session_.next(now_ + 1h));
  EXPECT_EQ(session_.wake(), kNever);
}

}  // namespace
}  // namespace castgate
