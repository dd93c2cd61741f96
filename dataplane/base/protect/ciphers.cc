// SPDX-License-Identifier: Apache-2.0
#include "dataplane/base/protect/ciphers.h"

#include <cstring>

#include "dataplane/base/check.h"
#include "dataplane/base/protect/secret_memory.h"

namespace castgate {
namespace {

constexpr std::size_t kManagerAlignment = 64;

// Both schedules of a key, as the library expands them.
struct alignas(16) AesSchedules {
  AesSchedule seal;
  AesSchedule open;
};

}  // namespace

// The lanes hold parts of keys and packets.
Result<Ciphers> Ciphers::make() {
  void* place = SecretMemory::take(imb_get_mb_mgr_size(), kManagerAlignment);
  Ciphers made;
  made.manager_.reset(imb_set_pointers_mb_mgr(place, 0, 1));
  CG_CHECK(made.manager_ != nullptr);
  init_mb_mgr_auto(made.manager(), nullptr);
  if (imb_get_errno(made.manager()) != 0)
    return fail("this processor has no AES instructions, which IPsec-MB needs");
  return made;
}

void Ciphers::Free::operator()(IMB_MGR* manager) const noexcept {
  SecretMemory::give_back(manager, imb_get_mb_mgr_size(), kManagerAlignment);
}

void aes_key_stream(const Ciphers& ciphers, std::span<const std::byte> key,
                    const std::array<std::byte, 16>& counter, std::span<std::byte> into) {
  IMB_MGR* manager = ciphers.manager();
  const auto schedules = make_secret<AesSchedules>();
  const bool wide = key.size() == key_bytes(KeyBits::Aes256);
  CG_CHECK(wide || key.size() == key_bytes(KeyBits::Aes128));
  const auto expand = wide ? manager->keyexp_256 : manager->keyexp_128;
  expand(key.data(), schedules->seal.data(), schedules->open.data());
  std::memset(into.data(), 0, into.size());
  IMB_JOB job{};
  job.enc_keys = schedules->seal.data();
  job.key_len_in_bytes = key.size();
  job.src = reinterpret_cast<const std::uint8_t*>(into.data());
  job.dst = reinterpret_cast<std::uint8_t*>(into.data());
  job.msg_len_to_cipher_in_bytes = into.size();
  job.iv = reinterpret_cast<const std::uint8_t*>(counter.data());
  job.iv_len_in_bytes = counter.size();
  const auto done = IMB_SUBMIT_CIPHER_BURST(manager, &job, 1, IMB_CIPHER_CNTR, IMB_DIR_ENCRYPT,
                                            wide ? IMB_KEY_256_BYTES : IMB_KEY_128_BYTES);
  CG_CHECK(done == 1);
}

GcmKey::GcmKey(const Ciphers& ciphers, std::span<const std::byte> key)
    : wide_(key.size() == key_bytes(KeyBits::Aes256)) {
  CG_CHECK(wide_ || key.size() == key_bytes(KeyBits::Aes128));
  IMB_MGR* manager = ciphers.manager();
  if (wide_) {
    IMB_AES256_GCM_PRE(manager, key.data(), &data_);
  } else {
    IMB_AES128_GCM_PRE(manager, key.data(), &data_);
  }
}

bool GcmKey::open(IMB_MGR* manager, const Message& message) const noexcept {
  gcm_context_data context;
  std::array<std::byte, kTag> own;
  const auto open = wide_ ? manager->gcm256_dec : manager->gcm128_dec;
  open(&data_, &context, bytes(message.to), bytes(message.from), message.length,
       bytes(message.nonce), bytes(message.bound.data()), message.bound.size(), bytes(own.data()),
       kTag);
  return equal_secrets(own.data(), message.tag, kTag);
}

}  // namespace castgate
