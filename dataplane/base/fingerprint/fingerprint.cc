// SPDX-License-Identifier: Apache-2.0
#include "dataplane/base/fingerprint/fingerprint.h"

#include <cstring>

#include "dataplane/base/big_endian.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace castgate {
namespace {

constexpr std::size_t kStep = 64;  // bytes; a payload counts as if zeros filled its last step
constexpr std::uint64_t kModulus = 0x1b;  // x^64 + x^4 + x^3 + x + 1

struct Product {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  Product& operator^=(const Product& other) noexcept {
    low ^= other.low;
    high ^= other.high;
    return *this;
  }
};

// Without carries, four bits of `b` at a time.
Product multiply(std::uint64_t a, std::uint64_t b) noexcept {
  std::array<Product, 16> times{};
  for (unsigned i = 1; i < 16; ++i) {
    const Product& half = times[i / 2];
    times[i] = {half.low << 1 ^ ((i & 1) != 0 ? a : 0), half.high << 1 | half.low >> 63};
  }
  Product sum;
  for (int shift = 60; shift >= 0; shift -= 4) {
    sum = {sum.low << 4, sum.high << 4 | sum.low >> 60};
    sum ^= times[b >> shift & 15];
  }
  return sum;
}

std::uint64_t make_plain(const Fingerprint::Key& key, const std::byte* payload,
                         std::size_t length) noexcept {
  Product sum;
  const std::uint64_t* lane = key.lanes.data();
  for (std::size_t at = 0; at < length; at += kStep, lane += kStep / 8) {
    std::array<std::uint64_t, kStep / 8> words{};
    std::memcpy(words.data(), payload + at, length - at < kStep ? length - at : kStep);
    for (std::size_t i = 0; i < words.size(); i += 2) {
      sum ^= multiply(words[i] ^ lane[i], words[i + 1] ^ lane[i + 1]);
    }
  }
  Product last = multiply(sum.low, key.low);
  last ^= multiply(sum.high, key.high);
  last ^= multiply(length, key.length);
  const Product once = multiply(last.high, kModulus);
  return last.low ^ once.low ^ multiply(once.high, kModulus).low;
}

#if defined(__x86_64__)
// g++ 12 takes the undefined lanes inside its own AVX-512 intrinsics for our mistake.
#if !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

[[gnu::target("pclmul,sse4.1")]] inline __m128i word(std::uint64_t value) noexcept {
  return _mm_cvtsi64_si128(static_cast<long long>(value));
}

[[gnu::target("pclmul,sse4.1")]] inline std::uint64_t finish(const Fingerprint::Key& key,
                                                             __m128i sum,
                                                             std::size_t length) noexcept {
  __m128i last = _mm_clmulepi64_si128(sum, word(key.low), 0x00);
  last = _mm_xor_si128(last, _mm_clmulepi64_si128(sum, word(key.high), 0x01));
  last = _mm_xor_si128(last, _mm_clmulepi64_si128(word(length), word(key.length), 0x00));
  const __m128i once = _mm_clmulepi64_si128(last, word(kModulus), 0x01);
  const __m128i twice = _mm_clmulepi64_si128(once, word(kModulus), 0x01);
  const __m128i value = _mm_xor_si128(_mm_xor_si128(last, once), twice);
  return static_cast<std::uint64_t>(_mm_cvtsi128_si64(value));
}

[[gnu::target("pclmul,sse4.1")]] inline __m128i product(const unsigned char* from,
                                                        const std::uint64_t* lane) noexcept {
  const __m128i words = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  const __m128i key = _mm_load_si128(reinterpret_cast<const __m128i*>(lane));
  const __m128i both = _mm_xor_si128(words, key);
  return _mm_clmulepi64_si128(both, both, 0x10);
}

[[gnu::target("pclmul,sse4.1")]] std::uint64_t make_clmul(const Fingerprint::Key& key,
                                                          const std::byte* payload,
                                                          std::size_t length) noexcept {
  __m128i a = _mm_setzero_si128();
  __m128i b = a;
  const auto* p = reinterpret_cast<const unsigned char*>(payload);
  const std::uint64_t* lane = key.lanes.data();
  std::size_t left = length;
  for (; left >= kStep; left -= kStep, p += kStep, lane += kStep / 8) {
    a = _mm_xor_si128(a, _mm_xor_si128(product(p, lane), product(p + 16, lane + 2)));
    b = _mm_xor_si128(b, _mm_xor_si128(product(p + 32, lane + 4), product(p + 48, lane + 6)));
  }
  if (left != 0) {
    alignas(16) std::array<unsigned char, kStep> rest{};
    std::memcpy(rest.data(), p, left);
    for (std::size_t i = 0; i < kStep; i += 16) {
      a = _mm_xor_si128(a, product(rest.data() + i, lane + i / 8));
    }
  }
  return finish(key, _mm_xor_si128(a, b), length);
}

[[gnu::target("avx512f,avx512bw,vpclmulqdq,pclmul,sse4.1")]] std::uint64_t make_wide(
    const Fingerprint::Key& key, const std::byte* payload, std::size_t length) noexcept {
  __m512i a = _mm512_setzero_si512();
  __m512i b = a;
  const auto* p = reinterpret_cast<const unsigned char*>(payload);
  const std::uint64_t* lane = key.lanes.data();
  std::size_t left = length;
  for (; left >= 2 * kStep; left -= 2 * kStep, p += 2 * kStep, lane += kStep / 4) {
    const __m512i x = _mm512_xor_si512(_mm512_loadu_si512(p), _mm512_load_si512(lane));
    const __m512i y =
        _mm512_xor_si512(_mm512_loadu_si512(p + kStep), _mm512_load_si512(lane + kStep / 8));
    a = _mm512_xor_si512(a, _mm512_clmulepi64_epi128(x, x, 0x10));
    b = _mm512_xor_si512(b, _mm512_clmulepi64_epi128(y, y, 0x10));
  }
  while (left != 0) {
    const std::size_t now = left < kStep ? left : kStep;
    const __mmask64 mask = now == kStep ? ~0ull : (1ull << now) - 1;
    const __m512i x = _mm512_xor_si512(_mm512_maskz_loadu_epi8(mask, p), _mm512_load_si512(lane));
    a = _mm512_xor_si512(a, _mm512_clmulepi64_epi128(x, x, 0x10));
    p += now;
    lane += kStep / 8;
    left -= now;
  }
  a = _mm512_xor_si512(a, b);
  const __m128i low = _mm_xor_si128(_mm512_castsi512_si128(a), _mm512_extracti32x4_epi32(a, 1));
  const __m128i high =
      _mm_xor_si128(_mm512_extracti32x4_epi32(a, 2), _mm512_extracti32x4_epi32(a, 3));
  return finish(key, _mm_xor_si128(low, high), length);
}

#if !defined(__clang__)
#pragma GCC diagnostic pop
#endif
#endif

// splitmix64: numbers that are the same for one seed everywhere.
std::uint64_t draw(std::uint64_t& state) noexcept {
  std::uint64_t z = state += 0x9e3779b97f4a7c15ull;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ z >> 27) * 0x94d049bb133111ebull;
  return z ^ z >> 31;
}

}  // namespace

bool Fingerprint::can(Way way) noexcept {
  if (way == Way::Portable) return true;
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool narrow =
      __builtin_cpu_supports("pclmul") != 0 && __builtin_cpu_supports("sse4.1") != 0;
  if (way == Way::Clmul) return narrow;
  return narrow && __builtin_cpu_supports("vpclmulqdq") != 0 &&
         __builtin_cpu_supports("avx512bw") != 0;
#else
  return false;
#endif
}

Fingerprint::Way Fingerprint::best() noexcept {
  return can(Way::WideClmul) ? Way::WideClmul : can(Way::Clmul) ? Way::Clmul : Way::Portable;
}

Fingerprint::Fingerprint(std::uint64_t seed, Way way) noexcept : make_(make_plain) {
  for (std::uint64_t& lane : key_.lanes) lane = draw(seed);
  key_.low = draw(seed);
  key_.high = draw(seed);
  key_.length = draw(seed);
#if defined(__x86_64__)
  if (way == Way::Clmul && can(way)) make_ = make_clmul;
  if (way == Way::WideClmul && can(way)) make_ = make_wide;
#else
  static_cast<void>(way);
#endif
}

}  // namespace castgate
