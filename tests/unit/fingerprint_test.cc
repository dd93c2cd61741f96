// SPDX-License-Identifier: Apache-2.0
// Fingerprints of payloads: the same on every processor, different for different payloads.
#include "dataplane/base/fingerprint/fingerprint.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <random>
#include <set>
#include <vector>

#include <gtest/gtest.h>

namespace castgate {
namespace {

using Bytes = std::vector<std::byte>;

Bytes noise(std::size_t length, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  Bytes made(length);
  for (std::byte& one : made) one = static_cast<std::byte>(random());
  return made;
}

std::uint64_t of(const Fingerprint& fingerprint, const Bytes& bytes) {
  return fingerprint.of(bytes.data(), bytes.size());
}

// GF(2^64) and the inner product, bit by bit as the definitions have them.
class Slow {
 public:
  explicit Slow(std::uint64_t seed) {
    for (std::uint64_t& lane : key_) {
      std::uint64_t z = seed += 0x9e3779b97f4a7c15ull;
      z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
      z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
      lane = z ^ (z >> 31);
    }
  }

  std::uint64_t of(Bytes bytes) const {
    const std::uint64_t length = bytes.size();
    bytes.resize((bytes.size() + 63) / 64 * 64);
    std::vector<bool> sum(128);
    for (std::size_t at = 0; at < bytes.size(); at += 16) {
      std::array<std::uint64_t, 2> words;
      std::memcpy(words.data(), &bytes[at], 16);
      add_product(sum, words[0] ^ key_[at / 8], words[1] ^ key_[at / 8 + 1]);
    }
    std::vector<bool> last(128);
    add_product(last, word(sum, 0), key_[kLanes]);
    add_product(last, word(sum, 64), key_[kLanes + 1]);
    add_product(last, length, key_[kLanes + 2]);
    for (std::size_t bit = 127; bit >= 64; --bit) {  // x^64 = x^4 + x^3 + x + 1
      if (!last[bit]) continue;
      for (const std::size_t term : {4u, 3u, 1u, 0u}) last[bit - 64 + term].flip();
    }
    return word(last, 0);
  }

 private:
  static constexpr std::size_t kLanes = Fingerprint::kLongest / 8;

  static void add_product(std::vector<bool>& sum, std::uint64_t a, std::uint64_t b) {
    for (unsigned i = 0; i < 64; ++i) {
      for (unsigned j = 0; j < 64; ++j) {
        if ((a >> i & b >> j & 1) != 0) sum[i + j].flip();
      }
    }
  }
  static std::uint64_t word(const std::vector<bool>& bits, std::size_t from) {
    std::uint64_t made = 0;
    for (unsigned i = 0; i < 64; ++i) made |= std::uint64_t{bits[from + i]} << i;
    return made;
  }

  std::array<std::uint64_t, kLanes + 3> key_;
};

TEST(Fingerprint, every_way_gives_the_value_of_the_definition) {
  const Slow slow(77);
  for (const auto way :
       {Fingerprint::Way::Portable, Fingerprint::Way::Clmul, Fingerprint::Way::WideClmul}) {
    if (!Fingerprint::can(way)) continue;
    const Fingerprint fast(77, way);
    for (const std::size_t length :
         {0u, 1u, 15u, 16u, 63u, 64u, 65u, 127u, 128u, 129u, 188u, 1316u, 1358u, 9728u}) {
      const Bytes bytes = noise(length + 3, length);
      const Bytes odd(bytes.begin() + 3, bytes.end());  // at any address
      EXPECT_EQ(of(fast, odd), slow.of(odd)) << "way " << int(way) << ", " << length << " bytes";
      EXPECT_EQ(fast.of(bytes.data() + 3, length), of(fast, odd));
    }
  }
}

TEST(Fingerprint, one_bit_that_differs_is_another_payload) {
  const Fingerprint fingerprint(1);
  Bytes bytes = noise(1316, 5);
  std::set<std::uint64_t> seen{of(fingerprint, bytes)};
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    bytes[bit / 8] ^= static_cast<std::byte>(1u << (bit % 8));
    seen.insert(of(fingerprint, bytes));
    bytes[bit / 8] ^= static_cast<std::byte>(1u << (bit % 8));
  }
  EXPECT_EQ(seen.size(), bytes.size() * 8 + 1);
}

TEST(Fingerprint, parts_that_changed_places_are_another_payload) {
  const Fingerprint fingerprint(1);
  for (const std::size_t part : {8u, 16u, 32u, 64u, 128u, 188u}) {
    Bytes bytes = noise(std::size_t{7} * 188, part);
    std::set<std::uint64_t> seen{of(fingerprint, bytes)};
    const std::size_t parts = bytes.size() / part;
    for (std::size_t i = 0; i < parts; ++i) {
      for (std::size_t j = i + 1; j < parts; ++j) {
        Bytes swapped = bytes;
        const auto at = [&](std::size_t n) {
          return swapped.begin() + static_cast<long>(n * part);
        };
        std::swap_ranges(at(i), at(i + 1), at(j));
        seen.insert(of(fingerprint, swapped));
      }
    }
    EXPECT_EQ(seen.size(), parts * (parts - 1) / 2 + 1) << part << " bytes";
  }
}

TEST(Fingerprint, zeros_of_different_lengths_differ) {
  const Fingerprint fingerprint(1);
  std::set<std::uint64_t> seen;
  for (std::size_t length = 0; length <= 1400; ++length) {
    seen.insert(of(fingerprint, Bytes(length)));
  }
  EXPECT_EQ(seen.size(), 1401u);
}

// Payloads that collide under one seed are of no use under another: here the lowest 16 bits do.
TEST(Fingerprint, collisions_do_not_outlive_the_seed) {
  const Fingerprint one(1);
  const Fingerprint other(2);
  std::vector<std::pair<std::uint64_t, Bytes>> made;
  for (std::uint64_t i = 0; i < 4000; ++i) {
    Bytes bytes = noise(188, i);
    made.emplace_back(of(one, bytes) & 0xffff, bytes);
  }
  std::ranges::sort(made, {}, &std::pair<std::uint64_t, Bytes>::first);
  unsigned pairs = 0;
  unsigned again = 0;
  for (std::size_t i = 1; i < made.size(); ++i) {
    if (made[i].first != made[i - 1].first) continue;
    ++pairs;
    again += ((of(other, made[i].second) ^ of(other, made[i - 1].second)) & 0xffff) == 0;
  }
  EXPECT_GT(pairs, 60u);  // 122 are expected
  EXPECT_LE(again, 1u);
}

TEST(Fingerprint, every_bit_follows_from_every_bit) {
  Bytes bytes = noise(376, 9);
  std::array<unsigned, 64> flips{};
  unsigned trials = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const Fingerprint fingerprint(seed);
    const std::uint64_t before = of(fingerprint, bytes);
    for (std::size_t bit = 0; bit < bytes.size() * 8; bit += 37) {
      bytes[bit / 8] ^= static_cast<std::byte>(1u << (bit % 8));
      const std::uint64_t changed = before ^ of(fingerprint, bytes);
      bytes[bit / 8] ^= static_cast<std::byte>(1u << (bit % 8));
      for (unsigned i = 0; i < 64; ++i) flips[i] += (changed >> i & 1) != 0 ? 1 : 0;
      ++trials;
    }
  }
  for (const unsigned count : flips) {
    EXPECT_NEAR(static_cast<double>(count) / trials, 0.5, 0.05);
  }
}

TEST(Fingerprint, what_lies_beyond_the_longest_payload_is_not_read) {
  const Fingerprint fingerprint(1);
  const Bytes bytes = noise(Fingerprint::kLongest, 3);
  EXPECT_EQ(fingerprint.of(bytes.data(), 65535), of(fingerprint, bytes));
}

}  // namespace
}  // namespace castgate
