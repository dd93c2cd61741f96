// SPDX-License-Identifier: Apache-2.0
// Forged packets of several messages, ahead of the stream on one leg.
#include "tests/support/range_lab.h"

namespace castgate::test {
namespace {

using std::chrono::microseconds;

struct Forger {
  unsigned leg = 0;
  unsigned every = 1;       // packets of the leg from one forgery to the next
  std::uint64_t ahead = 0;  // messages; 0: each distance in turn
};

// Puts forgeries between the leg's own packets; their session is ours, their content is not.
std::vector<Packet> with_forgeries(std::vector<Packet> packets, const Forger& forger) {
  std::vector<Packet> all;
  std::uint64_t distance = 2;
  unsigned seen = 0;
  for (std::size_t i = 0; i < packets.size(); ++i) {
    const Packet& packet = packets[i];
    all.push_back(packet);
    const bool late = packet.first > 4'800 || packet.first < 500;
    if (packet.leg != forger.leg || late || ++seen % forger.every != 0) continue;
    const std::uint64_t ahead = forger.ahead != 0 ? forger.ahead : distance;
    if (++distance > 1'024) distance = 2;
    Packet forged = packet;
    forged.first += packet.count + ahead - 1;
    forged.count = static_cast<std::uint16_t>(1 + i % 5);
    forged.forged = true;
    all.push_back(forged);
  }
  return all;
}

void expect_nothing_lost(const Forger& forger, double loss, microseconds skew) {
  SCOPED_TRACE(testing::Message() << "leg " << forger.leg << ", every " << forger.every
                                  << ", ahead " << forger.ahead << ", loss " << loss << ", skew "
                                  << skew.count());
  const std::vector<LegPlan> plans{{.most = 4, .loss = loss},
                                   {.most = 6, .delay = skew, .loss = loss}};
  RangeLab lab(range_config(MergeRelease::Ordered));
  for (const Packet& packet : with_forgeries(schedule(plans, 5'000, 7), forger)) {
    lab.deliver(packet);
  }
  lab.finish();
  std::vector<std::uint64_t> messages = lab.messages();
  EXPECT_TRUE(std::ranges::is_sorted(messages));
  EXPECT_EQ(std::ranges::adjacent_find(messages), messages.end());
  const std::vector<std::uint64_t> delivered = lab.all_delivered();
  std::vector<std::uint64_t> missing;
  std::ranges::set_difference(delivered, messages, std::back_inserter(missing));
  EXPECT_TRUE(missing.empty()) << missing.size() << " from " << missing.front();
  if (loss == 0) {
    EXPECT_EQ(messages, delivered);
  }
}

TEST(MergeRangeForgedTest, messages_ahead_of_the_stream_cost_nothing) {
  for (const microseconds skew : {microseconds{0}, microseconds{30}, microseconds{2'000}}) {
    for (const unsigned leg : {0u, 1u}) {
      for (const unsigned every : {100u, 10u, 1u}) {
        for (const std::uint64_t ahead : {0u, 2u, 3u, 10u, 100u, 1'000u}) {
          for (const double loss : {0.0, 0.01}) {
            expect_nothing_lost({leg, every, ahead}, loss, skew);
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace castgate::test
