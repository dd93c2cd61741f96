// SPDX-License-Identifier: Apache-2.0
#include "dataplane/base/srtp/srtp_cm.h"

#include <bit>
#include <cstring>

#include "dataplane/base/big_endian.h"
#include "dataplane/base/check.h"
#include "dataplane/base/protect/secret_memory.h"

namespace castgate {
namespace {

constexpr std::size_t kAuthKey = 20;
constexpr std::size_t kTagAsked = 12;  // the library gives HMAC-SHA1 tags of 12 and 20 bytes
constexpr std::size_t kRollOver = 4;   // bytes, authenticated behind the packet

struct SessionKeys {
  std::array<std::byte, 32> cipher;
  std::array<std::byte, 64> auth;  // one block of SHA-1, zero behind the key
  AesSchedule unused_schedule;
};

void hash_pad(const Ciphers& ciphers, const std::array<std::byte, 64>& key, unsigned pad,
              std::array<std::uint32_t, 5>& into) {
  const auto block = make_secret<std::array<std::byte, 64>>(key);
  for (std::byte& byte : *block) byte ^= static_cast<std::byte>(pad);
  IMB_SHA1_ONE_BLOCK(ciphers.manager(), block->data(), into.data());
}

}  // namespace

SrtpCm::SrtpCm(const Ciphers& ciphers, const SrtpMaster& master, std::size_t tag)
    : tag_(tag), bits_(master.bits) {
  CG_CHECK(tag == 10 || tag == 4);
  IMB_MGR* manager = ciphers.manager();
  const auto keys = make_secret<SessionKeys>();
  const std::span<std::byte> cipher(keys->cipher.data(), key_bytes(bits_));
  derive_srtp_key(ciphers, master, SrtpLabel::RtpKey, cipher);
  const auto expand = bits_ == KeyBits::Aes256 ? manager->keyexp_256 : manager->keyexp_128;
  expand(cipher.data(), schedule_.data(), keys->unused_schedule.data());
  derive_srtp_key(ciphers, master, SrtpLabel::RtpAuth, {keys->auth.data(), kAuthKey});
  hash_pad(ciphers, keys->auth, 0x36, inner_);
  hash_pad(ciphers, keys->auth, 0x5c, outer_);
  derive_srtp_key(ciphers, master, SrtpLabel::RtpSalt, {salt_.data(), 14});
}

// What never changes from one packet to the next.
SrtpCmBatch::SrtpCmBatch() noexcept {
  for (unsigned i = 0; i < kMost; ++i) {
    IMB_JOB& job = jobs_[i];
    job.iv = reinterpret_cast<const std::uint8_t*>(entries_[i].counter.data());
    job.iv_len_in_bytes = entries_[i].counter.size();
    job.auth_tag_output = reinterpret_cast<std::uint8_t*>(entries_[i].tag.data());
    job.auth_tag_output_len_in_bytes = kTagAsked;
  }
}

void SrtpCmBatch::add(const SrtpCm& keys, const SrtpPacket& packet,
                      const std::byte* from) noexcept {
  CG_DCHECK(takes(keys));
  constexpr std::size_t kSsrcAt = 8;
  bits_ = keys.bits_;
  Entry& entry = entries_[count_];
  IMB_JOB& job = jobs_[count_++];
  // RFC 3711 4.1.1: the salt, the SSRC in bytes 4 to 7, the index in 8 to 13, a counter of blocks.
  entry.counter = keys.salt_;
  const auto ssrc = load_raw<std::uint32_t>(packet.at + kSsrcAt);
  const auto low = load_raw<std::uint64_t>(keys.salt_.data());
  const auto high = load_raw<std::uint64_t>(keys.salt_.data() + 8);
  store_raw(entry.counter.data(), low ^ std::uint64_t{ssrc} << 32);
  store_raw(entry.counter.data() + 8, high ^ std::byteswap(packet.index << 16));
  entry.at = packet.at;
  entry.end = packet.at + packet.length;
  entry.turns_be = std::byteswap(static_cast<std::uint32_t>(packet.index >> 16));
  entry.tag_length = static_cast<std::uint16_t>(keys.tag_);
  job.enc_keys = keys.schedule_.data();
  job.key_len_in_bytes = key_bytes(keys.bits_);
  job.src = reinterpret_cast<const std::uint8_t*>(from);
  job.dst = reinterpret_cast<std::uint8_t*>(packet.at) + packet.header;
  job.cipher_start_src_offset_in_bytes = packet.header;
  job.msg_len_to_cipher_in_bytes = packet.length - packet.header;
  job.msg_len_to_hash_in_bytes = packet.length + kRollOver;
  job.u.HMAC._hashed_auth_key_xor_ipad = reinterpret_cast<const std::uint8_t*>(&keys.inner_);
  job.u.HMAC._hashed_auth_key_xor_opad = reinterpret_cast<const std::uint8_t*>(&keys.outer_);
}

void SrtpCmBatch::encrypt(IMB_MGR* manager, IMB_JOB* jobs, unsigned count) const noexcept {
  const bool wide = bits_ == KeyBits::Aes256;
  const auto done =
      IMB_SUBMIT_CIPHER_BURST_NOCHECK(manager, jobs, count, IMB_CIPHER_CNTR, IMB_DIR_ENCRYPT,
                                      wide ? IMB_KEY_256_BYTES : IMB_KEY_128_BYTES);
  CG_CHECK(done == count);
}

// Over packet and roll-over counter, which takes the tag's place meanwhile.
void SrtpCmBatch::authenticate(IMB_MGR* manager) noexcept {
  for (unsigned i = 0; i < count_; ++i) {
    store_raw(entries_[i].end, entries_[i].turns_be);
    jobs_[i].src = reinterpret_cast<const std::uint8_t*>(entries_[i].at);
  }
  const auto done =
      IMB_SUBMIT_HASH_BURST_NOCHECK(manager, jobs_.data(), count_, IMB_AUTH_HMAC_SHA_1);
  CG_CHECK(done == count_);
}

void SrtpCmBatch::seal(IMB_MGR* manager) noexcept {
  if (count_ == 0) return;
  encrypt(manager, jobs_.data(), count_);
  authenticate(manager);
  for (unsigned i = 0; i < count_; ++i) {
    const Entry& entry = entries_[i];
    std::memcpy(entry.end, entry.tag.data(), entry.tag_length);
  }
  count_ = 0;
}

std::bitset<SrtpCmBatch::kMost> SrtpCmBatch::open(IMB_MGR* manager) noexcept {
  std::bitset<kMost> good;
  if (count_ == 0) return good;
  for (unsigned i = 0; i < count_; ++i)
    std::memcpy(entries_[i].wire.data(), entries_[i].end, entries_[i].tag_length);
  authenticate(manager);
  unsigned genuine = 0;
  for (unsigned i = 0; i < count_; ++i) {
    const Entry& entry = entries_[i];
    good[i] = equal_secrets(entry.tag.data(), entry.wire.data(), entry.tag_length);
    if (good[i]) genuine_[genuine++] = jobs_[i];
  }
  if (genuine != 0) encrypt(manager, genuine_.data(), genuine);
  count_ = 0;
  return good;
}

}  // namespace castgate
