// SPDX-License-Identifier: Apache-2.0
// Any schedule of payloads without numbers: every packet comes back once, whatever is repeated,
// late, silent or too fast. The first byte chooses the merge, then two bytes are a packet: leg and
// pause, and which of a few payloads it holds. All of it is also one payload, whose fingerprint is
// the same whichever instructions make it.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "dataplane/base/check.h"
#include "dataplane/base/fingerprint/fingerprint.h"
#include "dataplane/base/fingerprint/fingerprint_merge.h"

namespace castgate {
namespace {

// Sees that each packet is given back exactly once.
class Outlet final : public MergeOutlet {
 public:
  explicit Outlet(std::size_t packets) : given_(packets) {}
  void take() { ++given_count_; }
  void* packet(std::size_t i) { return &given_[i]; }
  std::uint64_t returned() const { return returned_; }
  std::uint64_t passed() const { return passed_; }

 private:
  void pass_on(std::span<void* const> packets) noexcept override {
    passed_ += packets.size();
    note(packets);
  }
  void free(std::span<void* const> packets) noexcept override { note(packets); }
  void note(std::span<void* const> packets) noexcept {
    for (void* one : packets) CG_CHECK(++*static_cast<std::uint8_t*>(one) == 1);
    returned_ += packets.size();
    CG_CHECK(returned_ <= given_count_);
  }
  void gap(std::uint32_t, std::uint64_t, std::uint64_t, GapCause, Instant) noexcept override {}
  void epoch_changed(std::uint32_t, std::uint32_t, Instant) noexcept override {}
  void leg_changed(std::uint32_t, unsigned, LegChange, Instant) noexcept override {}
  std::uint64_t content(std::uint32_t, void*) noexcept override { return 0; }
  void cut(std::uint32_t, void*, unsigned, unsigned) noexcept override {}
  void* copy(std::uint32_t, void*) noexcept override { return nullptr; }

  std::vector<std::uint8_t> given_;
  std::uint64_t given_count_ = 0;
  std::uint64_t returned_ = 0;
  std::uint64_t passed_ = 0;
};

void expect_ways_to_agree(std::span<const std::byte> payload) {
  using Way = Fingerprint::Way;
  static const Fingerprint plain(7, Way::Portable);
  static const Fingerprint narrow(7, Way::Clmul);
  static const Fingerprint wide(7, Way::WideClmul);
  const std::uint64_t made = plain.of(payload.data(), payload.size());
  CG_CHECK(narrow.of(payload.data(), payload.size()) == made);
  CG_CHECK(wide.of(payload.data(), payload.size()) == made);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto whole = std::as_bytes(std::span(data, size));
  expect_ways_to_agree(whole);
  if (size < 3) return 0;
  expect_ways_to_agree(whole.subspan(1 + size / 3));
  MergeConfig config;
  config.release = (data[0] & 1) != 0 ? MergeRelease::Ordered : MergeRelease::Arrival;
  config.legs = 1 + (data[0] >> 1 & 7);
  config.window = 8u << (data[0] >> 4 & 3);
  config.max_skew = Nanoseconds{1'000'000};
  const std::size_t packets = (size - 1) / 2;
  Outlet out(packets);
  if ((data[0] & 0x80) != 0) out.limit_held(3);
  FingerprintMerge merge(config);
  static const Fingerprint fingerprint(1);
  Instant now{1'000'000'000};
  Instant armed = kNever;
  for (std::size_t i = 0; i < packets; ++i) {
    const std::uint8_t how = data[1 + 2 * i];
    constexpr std::int64_t kPauses[] = {0, 1'000, 100'000, 400'000, 1'000'000, 30'000'000};
    const Instant next = now + Nanoseconds{kPauses[(how >> 3) % 6]};
    for (; armed <= next; armed = std::min(armed, merge.arm())) {
      now = std::max(now, std::exchange(armed, kNever));
      merge.tick(now, out);
      if (!merge.wants_arming()) break;
    }
    now = next;
    const std::byte payload{data[2 + 2 * i]};
    out.take();
    merge.offer({out.packet(i), fingerprint.of(&payload, 1), 0, 60, how % config.legs, now}, out);
    if (merge.wants_arming()) armed = std::min(armed, merge.arm());
    out.flush();
    CG_CHECK(out.returned() + merge.held() == i + 1 && merge.held() == out.held());
    CG_CHECK(config.release == MergeRelease::Ordered || merge.held() == 0);
  }
  for (; merge.held() != 0; armed = merge.arm()) {
    CG_CHECK(armed != kNever);  // what is held is let go by the clock alone
    now = std::max(now, armed);
    merge.tick(now, out);
    if (!merge.wants_arming()) break;
  }
  CG_CHECK(merge.held() == 0);
  merge.drain(now, out);
  CG_CHECK(out.returned() == packets && out.passed() == merge.forwarded());
  return 0;
}

}  // namespace castgate
