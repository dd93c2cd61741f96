// SPDX-License-Identifier: Apache-2.0
// Pools of sessions are as old as sessions, and still marked so.
#define ALLOW_EXPERIMENTAL_API
#include "drivers/crypto_device.h"

#include <array>
#include <fmt/format.h>

#include <rte_cryptodev.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_mempool.h>

#include "dataplane/base/device_string.h"
#include "drivers/stderr_capture.h"

namespace castgate {
namespace {

constexpr unsigned kDepth = 2'048;  // operations under way, of each queue
constexpr unsigned kCache = 128;
constexpr unsigned kSessions = 4'096;  // keys at a time
constexpr std::uint16_t kTag = 16;

// One name for each pool of the process.
std::string pool_name(const char* what) {
  static unsigned number = 0;
  return fmt::format("crypto_{}{}", what, number++);
}

std::shared_ptr<rte_mempool> owned(rte_mempool* pool) {
  return {pool, rte_mempool_free};
}

class DeviceQueue final : public CryptoQueue {
 public:
  DeviceQueue(std::uint8_t device, std::uint16_t queue, std::shared_ptr<rte_mempool> operations,
              std::shared_ptr<rte_mempool> sessions)
      : device_(device),
        queue_(queue),
        operations_(std::move(operations)),
        sessions_(std::move(sessions)) {}

  rte_crypto_op* take() noexcept override {
    return rte_crypto_op_alloc(operations_.get(), RTE_CRYPTO_OP_TYPE_SYMMETRIC);
  }
  void give_back(rte_crypto_op* operation) noexcept override { rte_crypto_op_free(operation); }
  unsigned submit(std::span<rte_crypto_op*> operations) noexcept override {
    return rte_cryptodev_enqueue_burst(device_, queue_, operations.data(),
                                       static_cast<std::uint16_t>(operations.size()));
  }
  unsigned collect(std::span<rte_crypto_op*> operations) noexcept override {
    return rte_cryptodev_dequeue_burst(device_, queue_, operations.data(),
                                       static_cast<std::uint16_t>(operations.size()));
  }
  Result<CryptoSession> make_session(std::span<const std::byte> key, std::size_t bound) override;

 private:
  std::uint8_t device_;
  std::uint16_t queue_;
  std::shared_ptr<rte_mempool> operations_;
  std::shared_ptr<rte_mempool> sessions_;
};

Result<CryptoSession> DeviceQueue::make_session(std::span<const std::byte> key, std::size_t bound) {
  rte_crypto_sym_xform wanted{};
  wanted.type = RTE_CRYPTO_SYM_XFORM_AEAD;
  wanted.aead.op = RTE_CRYPTO_AEAD_OP_ENCRYPT;
  wanted.aead.algo = RTE_CRYPTO_AEAD_AES_GCM;
  wanted.aead.key = {.data = reinterpret_cast<const std::uint8_t*>(key.data()),
                     .length = static_cast<std::uint16_t>(key.size())};
  wanted.aead.iv = {.offset = kNonceAt, .length = kNonce};
  wanted.aead.digest_length = kTag;
  wanted.aead.aad_length = static_cast<std::uint16_t>(bound);
  void* made = rte_cryptodev_sym_session_create(device_, &wanted, sessions_.get());
  if (made == nullptr)
    return fail(fmt::format("no session for a key: {}", rte_strerror(rte_errno)));
  // The pool outlives what is of it.
  const auto free_session = [device = device_, pool = sessions_](void* session) {
    rte_cryptodev_sym_session_free(device, session);
  };
  return CryptoSession{{made, free_session}, bound};
}

bool has_gcm(std::uint8_t device) {
  rte_cryptodev_sym_capability_idx wanted{};
  wanted.type = RTE_CRYPTO_SYM_XFORM_AEAD;
  wanted.algo.aead = RTE_CRYPTO_AEAD_AES_GCM;
  const auto* has = rte_cryptodev_sym_capability_get(device, &wanted);
  return has != nullptr && rte_cryptodev_sym_capability_check_aead(has, 16, kTag, 12, 12) == 0;
}

}  // namespace

bool CryptoDevice::is_software(const std::string& device) noexcept {
  return !is_pci_address(device);
}

Result<std::unique_ptr<CryptoDevice>> CryptoDevice::open(const std::string& device,
                                                         unsigned queues) {
  std::unique_ptr<CryptoDevice> made(new CryptoDevice);
  made->name_ = device.substr(0, device.find(','));
  const auto refuse = [&](const std::string& text) {
    return fail(fmt::format("crypto device {}: {}", device, text));
  };
  const StderrCapture captured;
  if (is_software(device)) {
    if (const int error = rte_dev_probe(device.c_str()); error != 0) {
      const std::string said = captured.last_line();
      return refuse(said.empty() ? rte_strerror(-error) : said);
    }
    made->plugged_ = true;
  }
  const int id = rte_cryptodev_get_dev_id(made->name_.c_str());
  if (id < 0) return refuse("DPDK has no driver for it, or it is no crypto device");
  made->id_ = static_cast<std::uint8_t>(id);
  if (auto good = made->bring_up(queues); !good) return refuse(good.error().text);
  return made;
}

Result<void> CryptoDevice::bring_up(unsigned queues) {
  if (!has_gcm(id_)) return fail("has no AES-GCM with tags of 16 bytes");
  rte_cryptodev_info facts{};
  rte_cryptodev_info_get(id_, &facts);
  if (facts.max_nb_queue_pairs < queues) {
    return fail(
        fmt::format("has {} queues, and there are {} workers", facts.max_nb_queue_pairs, queues));
  }
  rte_cryptodev_config config{};
  config.socket_id = SOCKET_ID_ANY;
  config.nb_queue_pairs = static_cast<std::uint16_t>(queues);
  if (rte_cryptodev_configure(id_, &config) != 0) return fail("is not to be configured");
  const unsigned size = rte_cryptodev_sym_get_private_session_size(id_);
  sessions_ = owned(rte_cryptodev_sym_session_pool_create(pool_name("sessions").c_str(), kSessions,
                                                          size, 0, 0, SOCKET_ID_ANY));
  if (!sessions_) return fail("no memory for its keys");
  rte_cryptodev_qp_conf pair{};
  pair.nb_descriptors = kDepth;
  pair.mp_session = sessions_.get();
  for (unsigned q = 0; q < queues; ++q) {
    const auto index = static_cast<std::uint16_t>(q);
    if (rte_cryptodev_queue_pair_setup(id_, index, &pair, SOCKET_ID_ANY) != 0)
      return fail("a queue is not to be set up");
    auto operations = owned(rte_crypto_op_pool_create(
        pool_name("operations").c_str(), RTE_CRYPTO_OP_TYPE_SYMMETRIC, kDepth - 1, kCache,
        CryptoQueue::kUserEnd - CryptoQueue::kNonceAt, SOCKET_ID_ANY));
    if (!operations) return fail("no memory for its operations");
    queues_.push_back(std::make_unique<DeviceQueue>(id_, index, operations, sessions_));
  }
  if (rte_cryptodev_start(id_) != 0) return fail("does not start");
  started_ = true;
  return {};
}

CryptoDevice::~CryptoDevice() {
  queues_.clear();
  if (started_) rte_cryptodev_stop(id_);
  if (plugged_) {
    const StderrCapture unheard;
    rte_cryptodev_close(id_);
    rte_eal_hotplug_remove("vdev", name_.c_str());
  }
  sessions_.reset();
}

}  // namespace castgate
