// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/fingerprint_step.h"

#include <array>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "dataplane/base/fingerprint/fingerprint.h"
#include "dataplane/base/fingerprint/fingerprint_merge.h"

namespace castgate::bench {
namespace {

constexpr unsigned kBuffers = 256;  // as many as a second-level cache keeps
constexpr Nanoseconds kInterval{10'000};

struct Sink final : MergeOutlet {
  void pass_on(std::span<void* const> packets) noexcept override { passed += packets.size(); }
  void free(std::span<void* const> packets) noexcept override { freed += packets.size(); }
  void gap(std::uint32_t, std::uint64_t, std::uint64_t, GapCause, Instant) noexcept override {}
  void epoch_changed(std::uint32_t, std::uint32_t, Instant) noexcept override {}
  void leg_changed(std::uint32_t, unsigned, LegChange, Instant) noexcept override {}
  std::uint64_t content(std::uint32_t, void*) noexcept override { return 0; }
  void cut(std::uint32_t, void*, unsigned, unsigned) noexcept override {}
  void* copy(std::uint32_t, void*) noexcept override { return nullptr; }
  std::uint64_t passed = 0;
  std::uint64_t freed = 0;
};

}  // namespace

struct FingerprintStep::Parts {
  explicit Parts(MergeRelease release)
      : merge({.release = release, .window = 4096}), buffers(kBuffers) {
    for (auto& buffer : buffers) buffer.fill(std::byte{0x47});
  }

  bool chance(std::uint64_t percent) noexcept {
    random ^= random << 13;
    random ^= random >> 7;
    random ^= random << 17;
    return random % 100 < percent;
  }

  Fingerprint fingerprint{1};
  FingerprintMerge merge;
  Sink sink;
  std::vector<std::array<std::byte, kTsPayload>> buffers;
  std::uint64_t random = 88172645463325252ull;
  std::uint64_t place = 0;
  Instant now{1'000'000'000};
  Instant armed = kNever;
};

FingerprintStep::FingerprintStep(MergeRelease release) : parts_(std::make_unique<Parts>(release)) {}

FingerprintStep::~FingerprintStep() {
  parts_->merge.drain(parts_->now, parts_->sink);
}

std::uint64_t FingerprintStep::run(std::uint64_t packets) {
  Parts& p = *parts_;
  std::uint64_t offered = 0;
  while (offered < packets) {
    auto& buffer = p.buffers[++p.place % kBuffers];
    const std::uint64_t content = p.chance(5) ? 0 : p.place;
    std::memcpy(buffer.data() + 4, &content, sizeof content);
    for (unsigned leg = 0; leg < 2; ++leg) {
      if (p.chance(1)) continue;
      const std::uint64_t value = p.fingerprint.of(buffer.data(), buffer.size());
      p.merge.offer({buffer.data(), value, 0, kTsPayload + 42, leg, p.now}, p.sink);
      if (p.merge.wants_arming()) p.armed = std::min(p.armed, p.merge.arm());
      ++offered;
    }
    p.now = p.now + kInterval;
    if (p.armed <= p.now) {
      p.armed = kNever;
      p.merge.tick(p.now, p.sink);
      if (p.merge.wants_arming()) p.armed = p.merge.arm();
    }
  }
  return offered;
}

}  // namespace castgate::bench
