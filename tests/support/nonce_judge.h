// SPDX-License-Identifier: Apache-2.0
// What a receiver of sealed packets makes of their numbers, from the bytes that left alone.
#pragma once

#include <array>
#include <bitset>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "dataplane/base/esp/esp_gcm.h"
#include "dataplane/base/rtp/header.h"
#include "dataplane/base/srtp/srtp_cm.h"
#include "dataplane/base/srtp/srtp_gcm.h"
#include "dataplane/contract/protect_spec.h"
#include "tests/support/packets.h"

namespace castgate::test {

// Any numbers, near to each other or not.
class NumberSet {
 public:
  // False: it was there.
  bool insert(std::uint64_t number) {
    const std::uint64_t place = number / kChunk;
    if (chunk_ == nullptr || place != place_) {
      auto& chunk = chunks_[place];
      if (!chunk) chunk = std::make_unique<Chunk>();
      chunk_ = chunk.get();
      place_ = place;
    }
    auto bit = (*chunk_)[number % kChunk];
    if (bit) return false;
    bit = true;
    ++size_;
    return true;
  }
  bool meets(const NumberSet& other) const {
    for (const auto& [place, chunk] : chunks_) {
      const auto at = other.chunks_.find(place);
      if (at != other.chunks_.end() && (*chunk & *at->second).any()) return true;
    }
    return false;
  }
  std::uint64_t size() const { return size_; }

 private:
  static constexpr std::size_t kChunk = 1u << 16;
  using Chunk = std::bitset<kChunk>;
  std::map<std::uint64_t, std::unique_ptr<Chunk>> chunks_;
  Chunk* chunk_ = nullptr;
  std::uint64_t place_ = 0;
  std::uint64_t size_ = 0;
};

// The numbers under which each key has sealed, as the wire says them: SRTP's turns are counted from
// the sequence numbers, and now and then a packet is opened under the number believed, so that what
// is counted here is what the sealer counted. One thread's.
class NonceJudge {
 public:
  static constexpr std::uint64_t kEach = 128;  // so many packets, one is opened

  // The packets of one output. `first`: of ESP, near to where the numbers of each key begin.
  // Returns what see() calls it.
  unsigned add(const ProtectSpec& spec, std::uint64_t first = 0) {
    flows_.push_back({.spec = spec, .first = first});
    return static_cast<unsigned>(flows_.size() - 1);
  }
  // The sealer begins anew, and tells receivers so: SRTP's numbers are within the first turn.
  void restart() {
    for (Flow& flow : flows_) flow.has_begun = flow.has_begun && flow.spec.is_esp();
  }

  // A UDP payload.
  void see(unsigned number, const std::uint8_t* payload, std::size_t length) {
    Flow& flow = flows_[number];
    const auto* at = reinterpret_cast<const std::byte*>(payload);
    const bool is_new = flow.spec.is_esp() ? follow_esp(flow, at) : follow_srtp(flow, at, length);
    const std::uint64_t nonce = flow.spec.is_esp() ? load_be<std::uint64_t>(at + 8) : flow.number;
    if (!flow.space->used.insert(nonce)) blame(number, "sealed twice under", nonce);
    if ((is_new || ++flow.seen % kEach == 0) && !opens(flow, at, length))
      blame(number, "does not open under", flow.number);
  }

  // Both saw packets of one set of keys.
  void compare(const NonceJudge& other) {
    for (const auto& [key, space] : spaces_) {
      const auto at = other.spaces_.find(key);
      if (at != other.spaces_.end() && space.used.meets(at->second.used))
        fault_ = "sealed by both workers, SSRC " + std::to_string(key.second);
    }
  }
  // How many keys of the flow have sealed anything, each SSRC by itself.
  std::uint64_t nonces() const {
    std::uint64_t sum = 0;
    for (const auto& [key, space] : spaces_) sum += space.used.size();
    return sum;
  }
  std::size_t epochs(unsigned number) const { return flows_[number].epochs; }
  std::uint64_t opened() const { return opened_; }
  const std::string& fault() const { return fault_; }

 private:
  struct Space {
    NumberSet used;
    Secret<SrtpGcm> gcm;
    Secret<SrtpCm> cm;
    Secret<EspGcm> esp;
  };
  struct Flow {
    ProtectSpec spec;
    std::uint64_t first = 0;
    std::uint64_t newest = 0;
    std::uint64_t number = 0;  // of the packet looked at
    Space* space = nullptr;
    std::uint32_t ssrc = 0;
    std::uint32_t epoch = 0;
    std::size_t epochs = 0;
    std::uint64_t seen = 0;
    bool has_begun = false;
  };

  // Both: is this the first packet of a key, or of an SSRC?
  bool follow_srtp(Flow& flow, const std::byte* at, std::size_t length) {
    const std::uint32_t ssrc = load_be32(at + 8);
    const std::uint16_t told = load_be16(at + 2);
    const std::size_t mki = flow.spec.mki_bytes;
    const std::size_t behind = mki + (is_cm(flow) ? tag_of_cm(flow) : 0);
    std::uint32_t epoch = mki == 0 ? flow.spec.keys[0].epoch : 0;
    for (std::size_t i = 0; i < mki; ++i)
      epoch = epoch << 8 | std::to_integer<std::uint32_t>(at[length - behind + i]);
    const bool begins = !flow.has_begun || ssrc != flow.ssrc;
    if (begins) flow.newest = told;
    const auto step = static_cast<std::int16_t>(told - static_cast<std::uint16_t>(flow.newest));
    go_on(flow, flow.newest + static_cast<std::uint64_t>(std::int64_t{step}));
    flow.ssrc = ssrc;
    return take_key(flow, epoch, begins);
  }
  bool follow_esp(Flow& flow, const std::byte* at) {
    const std::uint32_t epoch = load_be32(at) - flow.spec.spi + 1;
    if (!flow.has_begun || epoch != flow.epoch) flow.newest = flow.first;
    const auto step =
        static_cast<std::int32_t>(load_be32(at + 4) - static_cast<std::uint32_t>(flow.newest));
    go_on(flow, flow.newest + static_cast<std::uint64_t>(std::int64_t{step}));
    return take_key(flow, epoch, !flow.has_begun);
  }
  static void go_on(Flow& flow, std::uint64_t number) {
    flow.number = number;
    if (number > flow.newest) flow.newest = number;
  }
  bool take_key(Flow& flow, std::uint32_t epoch, bool begins) {
    flow.has_begun = true;
    if (!begins && epoch == flow.epoch) return false;
    flow.epochs += epoch != flow.epoch;
    flow.epoch = epoch;
    flow.space = &space_of(flow, epoch);
    return true;
  }

  // Keys are told apart by their bytes: where they came from does not matter.
  Space& space_of(const Flow& flow, std::uint32_t epoch) {
    const auto key = std::ranges::find(flow.spec.keys, epoch, &EpochKey::epoch);
    const auto bytes =
        key == flow.spec.keys.end() ? std::span<const std::byte>() : key->key->bytes();
    const std::string name(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    Space& space = spaces_[{name, flow.spec.is_esp() ? 0 : flow.ssrc}];
    if (space.gcm || space.cm || space.esp || bytes.empty()) return space;
    const auto bits = static_cast<KeyBits>(flow.spec.key_bits);
    if (flow.spec.is_esp()) {
      space.esp = make_secret<EspGcm>(ciphers_, *read_esp_master(bytes, bits), flow.spec.esn);
    } else if (is_cm(flow)) {
      space.cm = make_secret<SrtpCm>(ciphers_, *read_srtp_master(bytes, bits), tag_of_cm(flow));
    } else {
      space.gcm = make_secret<SrtpGcm>(ciphers_, *read_srtp_master(bytes, bits));
    }
    return space;
  }

  bool opens(const Flow& flow, const std::byte* from, std::size_t length) {
    ++opened_;
    std::vector<std::byte> copy(from, from + length);
    const Space& space = *flow.space;
    if (space.esp) return space.esp->open(ciphers_.manager(), copy, flow.number).has_value();
    if (!space.cm && !space.gcm) return false;  // an epoch that is none
    const std::size_t mki = flow.spec.mki_bytes;
    const std::size_t tag = is_cm(flow) ? tag_of_cm(flow) : SrtpGcm::kTag;
    const std::size_t clear = length - tag - mki;
    if (is_cm(flow))
      std::copy(copy.end() - static_cast<std::ptrdiff_t>(tag), copy.end(),
                copy.begin() + static_cast<std::ptrdiff_t>(clear));
    const SrtpPacket rtp{copy.data(), clear, rtp_header_length(copy.data(), clear), flow.number};
    if (space.gcm) return space.gcm->open(ciphers_.manager(), rtp);
    batch_.add(*space.cm, rtp);
    return batch_.open(ciphers_.manager())[0];
  }

  static bool is_cm(const Flow& flow) { return flow.spec.profile == ProtectProfile::SrtpCm; }
  static std::size_t tag_of_cm(const Flow& flow) { return flow.spec.tag_bits / 8; }

  void blame(unsigned flow, const char* what, std::uint64_t number) {
    if (fault_.empty())
      fault_ = "flow " + std::to_string(flow) + ", epoch " + std::to_string(flows_[flow].epoch) +
               ": " + what + " " + std::to_string(number);
  }

  Ciphers ciphers_ = *Ciphers::make();
  SrtpCmBatch batch_;
  std::vector<Flow> flows_;
  std::map<std::pair<std::string, std::uint32_t>, Space> spaces_;
  std::uint64_t opened_ = 0;
  std::string fault_;
};

}  // namespace castgate::test
