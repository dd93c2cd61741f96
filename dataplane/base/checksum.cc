// SPDX-License-Identifier: Apache-2.0
#include "dataplane/base/checksum.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace castgate {
namespace {

using Summer = std::uint64_t (*)(const unsigned char*, std::size_t) noexcept;

// 32-bit words into 64-bit lanes: no carry to look after below 16 GiB.
std::uint64_t sum_plain(const unsigned char* p, std::size_t length) noexcept {
  std::uint64_t sum = 0;
  for (; length >= 4; p += 4, length -= 4) sum += load_raw<std::uint32_t>(p);
  if (length >= 2) {
    sum += load_raw<std::uint16_t>(p);
    p += 2;
    length -= 2;
  }
  return length == 0 ? sum : sum + *p;
}

#if defined(__x86_64__)
// g++ 12 takes the undefined lanes inside its own AVX-512 intrinsics for our mistake.
#if !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

[[gnu::target("avx2")]] std::uint64_t sum_avx2(const unsigned char* p,
                                               std::size_t length) noexcept {
  const __m256i low = _mm256_set1_epi64x(0xffffffff);
  __m256i a = _mm256_setzero_si256();
  __m256i b = _mm256_setzero_si256();
  for (; length >= 64; p += 64, length -= 64) {
    const __m256i x = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    const __m256i y = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + 32));
    a = _mm256_add_epi64(a, _mm256_add_epi64(_mm256_and_si256(x, low), _mm256_srli_epi64(x, 32)));
    b = _mm256_add_epi64(b, _mm256_add_epi64(_mm256_and_si256(y, low), _mm256_srli_epi64(y, 32)));
  }
  a = _mm256_add_epi64(a, b);
  alignas(32) std::uint64_t lanes[4];
  _mm256_store_si256(reinterpret_cast<__m256i*>(lanes), a);
  return lanes[0] + lanes[1] + lanes[2] + lanes[3] + sum_plain(p, length);
}

// Low and high bytes of the words are summed apart by dot products with 1 0 1 0 and 0 1 0 1: two
// instructions for 64 bytes. Lanes have room for 4 million rounds.
[[gnu::target("avx512f,avx512bw,avx512vnni")]] std::uint64_t sum_vnni(const unsigned char* p,
                                                                      std::size_t length) noexcept {
  const __m512i low = _mm512_set1_epi16(0x0001);
  const __m512i high = _mm512_set1_epi16(0x0100);
  __m512i a = _mm512_setzero_si512();
  __m512i b = a;
  __m512i c = a;
  __m512i d = a;
  for (; length >= 128; p += 128, length -= 128) {
    const __m512i x = _mm512_loadu_si512(p);
    const __m512i y = _mm512_loadu_si512(p + 64);
    a = _mm512_dpbusd_epi32(a, x, low);
    b = _mm512_dpbusd_epi32(b, x, high);
    c = _mm512_dpbusd_epi32(c, y, low);
    d = _mm512_dpbusd_epi32(d, y, high);
  }
  while (length != 0) {
    const std::size_t now = length < 64 ? length : 64;
    const __mmask64 mask = now == 64 ? ~0ull : (1ull << now) - 1;
    const __m512i x = _mm512_maskz_loadu_epi8(mask, p);
    a = _mm512_dpbusd_epi32(a, x, low);
    b = _mm512_dpbusd_epi32(b, x, high);
    p += now;
    length -= now;
  }
  a = _mm512_add_epi32(a, c);
  b = _mm512_add_epi32(b, d);
  const auto lows = static_cast<std::uint32_t>(_mm512_reduce_add_epi32(a));
  const auto highs = static_cast<std::uint32_t>(_mm512_reduce_add_epi32(b));
  return lows + (std::uint64_t{highs} << 8);
}

#if !defined(__clang__)
#pragma GCC diagnostic pop
#endif
#endif

// Chosen once; the light path keeps to narrow vectors, this one is worth the wide ones.
Summer choose() noexcept {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512vnni") != 0) return sum_vnni;
  if (__builtin_cpu_supports("avx2") != 0) return sum_avx2;
#endif
  return sum_plain;
}

const Summer kSum = choose();

}  // namespace

std::uint64_t ones_sum(const void* bytes, std::size_t length) noexcept {
  return kSum(static_cast<const unsigned char*>(bytes), length);
}

bool udp_sums_up(std::span<const std::byte> addresses, std::span<const std::byte> udp) noexcept {
  constexpr std::uint64_t kUdp = 17;
  std::uint64_t sum = ones_sum(udp.data(), udp.size());
  if (addresses.size() == 8) [[likely]] {
    sum += std::uint64_t{load_raw<std::uint32_t>(addresses.data())} +
           load_raw<std::uint32_t>(addresses.data() + 4);
  } else {
    sum += ones_sum(addresses.data(), addresses.size());
  }
  sum += static_cast<std::uint64_t>(std::byteswap(static_cast<std::uint16_t>(udp.size())));
  sum += kUdp << 8;
  return fold_sum(sum) == 0xffff;
}

}  // namespace castgate
