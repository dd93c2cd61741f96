// SPDX-License-Identifier: Apache-2.0
// Seeded random feeds without numbers, over two to four paths. Half of the schedules keep each
// path's jitter under what tells two payloads apart and every path alive: there, what comes out is
// exactly what any path delivered. The others hold what must always hold:
// fingerprint_property [--schedules N] [--seed S]
#include <cstdio>
#include <iterator>
#include <map>
#include <string>

#include "tests/support/fingerprint_lab.h"

namespace castgate::test {
namespace {

using std::chrono::milliseconds;

struct Schedule {
  bool exact = true;
  std::uint64_t joins = 0;  // where legs that come later do
  bool late_leg = false;    // one comes when the others have begun
  MergeConfig config;
  Feed feed;
  std::vector<FeedPath> paths;
};

// Datagrams that all legs bring where one begins: bytes that repeat are known by then as such.
constexpr std::uint64_t kCleanStart = 50;

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : random_(seed) {}
  std::uint64_t below(std::uint64_t end) { return random_() % end; }
  bool one_in(std::uint64_t n) { return below(n) == 0; }
  double share() { return static_cast<double>(random_() >> 11) * 0x1p-53; }
  std::uint64_t any() { return random_(); }

 private:
  std::mt19937_64 random_;
};

FeedPath path_for(Dice& dice, Schedule& s, unsigned index) {
  constexpr std::array<double, 5> kLosses{0, 1e-3, 1e-2, 1e-2, 0.05};
  const std::uint64_t count = s.feed.payloads.size();
  const auto interval = static_cast<std::uint64_t>(s.feed.interval.count());
  // So that two copies of a payload differ by less than payloads do; the rest may be all there is.
  const std::uint64_t jitter = s.exact ? interval / 10 : dice.one_in(2) ? 3 * interval : interval;
  const auto room = static_cast<std::uint64_t>(s.config.max_skew.count()) - (s.exact ? jitter : 0);
  const auto delay = static_cast<std::int64_t>(dice.below(s.exact ? room : 2 * room));
  auto loses = seeded(kLosses[dice.below(kLosses.size())], dice.any());
  const std::uint64_t begin = index != 0 && dice.one_in(2) ? s.joins : 0;
  s.late_leg = s.late_leg || begin != 0;
  const std::uint64_t dark = !s.exact && dice.one_in(2) ? dice.below(count) : count;
  const std::uint64_t light = dark + dice.below(500);
  return {.delay = Nanoseconds{delay},
          .longest = Nanoseconds{delay + static_cast<std::int64_t>(jitter)},
          .loses =
              [=, exact = s.exact, joins = s.joins](std::uint64_t i) mutable {
                const bool lost = loses(i);
                const bool clean = exact && (i < kCleanStart || i - joins < kCleanStart);
                return i < begin || (i >= dark && i < light) || (lost && !clean);
              },
          .jitter =
              [jitter, random = std::mt19937_64(dice.any())](std::uint64_t) mutable {
                return Nanoseconds{static_cast<std::int64_t>(random() % (jitter + 1))};
              }};
}

Schedule schedule_for(std::uint64_t seed) {
  Dice dice(seed);
  Schedule s;
  s.exact = dice.one_in(2);
  s.config.release = dice.one_in(3) ? MergeRelease::Arrival : MergeRelease::Ordered;
  s.config.max_skew = milliseconds{1 + dice.below(40)};
  s.config.legs = 2 + static_cast<unsigned>(dice.one_in(2) ? 0 : dice.below(3));
  const double nulls = dice.one_in(4) ? 0 : dice.one_in(8) ? 1 : 0.05 + dice.share() * 0.1;
  // Of a feed that is always the same nobody can tell where a leg that comes later is.
  s.exact = s.exact && nulls < 1;
  const Nanoseconds interval{static_cast<std::int64_t>(50'000 + dice.below(2'000'000))};
  const auto in_flight = static_cast<std::uint64_t>(s.config.max_skew / interval);
  s.feed = feed_of(300 + 2 * in_flight + dice.below(1700), nulls, dice.any());
  s.feed.interval = interval;
  s.config.window = std::bit_ceil(std::max<std::uint64_t>(256, 4 * in_flight));
  s.joins = 10 + 2 * in_flight + dice.below(200);
  if (nulls > 0) s.feed.payloads[5] = s.feed.payloads[6] = 0;
  for (unsigned leg = 0; leg < s.config.legs; ++leg) {
    s.paths.push_back(path_for(dice, s, leg));
  }
  return s;
}

std::vector<std::uint64_t> without_nulls(const std::vector<std::uint64_t>& payloads) {
  std::vector<std::uint64_t> made;
  std::ranges::copy_if(payloads, std::back_inserter(made), [](auto one) { return one != 0; });
  return made;
}

// Where a leg comes later than the others: what they lost and it brought may be too late to be put
// in its place, which is counted, and of null packets as many as are between two legs may leave
// twice or not. Nothing else.
void expect_joined(const FingerprintLab& lab, const Schedule& s) {
  std::uint64_t late = 0;
  for (unsigned leg = 0; leg < s.config.legs; ++leg) late += lab.merge.leg(leg).late_after_release;
  std::vector<std::uint64_t> out = without_nulls(lab.out);
  const std::vector<std::uint64_t> expected = without_nulls(lab.expected());
  if (s.config.release == MergeRelease::Arrival) std::ranges::sort(out);
  EXPECT_TRUE(std::ranges::includes(expected, out)) << "out of order, or twice";
  EXPECT_TRUE(std::ranges::is_sorted(out));
  EXPECT_GE(out.size() + late, expected.size());
  const auto nulls = [&](const auto& all) {
    return static_cast<double>(std::ranges::count(all, 0u));
  };
  const double between = nulls(lab.expected()) / static_cast<double>(lab.expected().size()) *
                         static_cast<double>(s.config.max_skew / s.feed.interval);
  EXPECT_NEAR(nulls(lab.out), nulls(lab.expected()), 4 + 2 * between);
}

// Whatever came: in the source's order, and of bytes that do not repeat each once.
void expect_sane(const FingerprintLab& lab, const Schedule& s) {
  std::map<std::uint64_t, unsigned> times;
  std::uint64_t last = 0;
  unsigned disorder = 0;
  for (const std::uint64_t payload : lab.out) {
    if (payload == 0) continue;
    ++times[payload];
    if (payload < last) ++disorder;
    last = payload;
  }
  // A copy that comes more than 2 * max_skew after the first is not known any more.
  bool known = true;
  for (const FeedPath& path : s.paths) known = known && path.longest <= s.config.max_skew;
  for (const auto& [payload, count] : times) {
    if (known && count != 1) ADD_FAILURE() << payload << " left " << count << " times";
  }
  if (s.config.release == MergeRelease::Ordered && known) {
    EXPECT_LE(disorder, lab.expected().size() / 20);
    EXPECT_LE(lab.longest_stay(), s.config.max_skew);
  }
}

bool holds(std::uint64_t seed) {
  const Schedule s = schedule_for(seed);
  FingerprintLab lab(s.config);
  lab.run(s.feed, s.paths);
  lab.finish();
  if (!s.exact) {
    expect_sane(lab, s);
  } else if (s.late_leg) {
    expect_joined(lab, s);
  } else if (s.config.release == MergeRelease::Ordered) {
    lab.expect_in_order();
  } else {
    lab.expect_union();
  }
  return !testing::UnitTest::GetInstance()->ad_hoc_test_result().Failed();
}

void print(std::uint64_t seed) {
  const Schedule s = schedule_for(seed);
  std::printf(
      "seed %llu: %s, release %d, legs %u, max_skew %lld ns, %zu payloads, one in %lld ns, "
      "%td nulls\n",
      static_cast<unsigned long long>(seed), s.exact ? "exact" : "wild",
      static_cast<int>(s.config.release), s.config.legs,
      static_cast<long long>(s.config.max_skew.count()), s.feed.payloads.size(),
      static_cast<long long>(s.feed.interval.count()), std::ranges::count(s.feed.payloads, 0));
}

int run(std::uint64_t schedules, std::uint64_t first) {
  for (std::uint64_t seed = first; seed < first + schedules; ++seed) {
    if (!holds(seed)) return print(seed), 1;
  }
  std::printf("%llu schedules hold\n", static_cast<unsigned long long>(schedules));
  return 0;
}

}  // namespace
}  // namespace castgate::test

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  std::map<std::string, std::string> options{{"--schedules", "2000"}, {"--seed", "1"}};
  for (int i = 1; i + 1 < argc; i += 2) options[argv[i]] = argv[i + 1];
  return castgate::test::run(std::stoull(options["--schedules"]), std::stoull(options["--seed"]));
}
