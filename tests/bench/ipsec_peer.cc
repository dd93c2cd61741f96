// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/ipsec_peer.h"

#include <array>
#include <cstdlib>
#include <fmt/format.h>
#include <vector>

#include <rte_cryptodev.h>
#include <rte_dev.h>
#include <rte_ip.h>
#include <rte_ipsec.h>

namespace castgate::bench {
namespace {

constexpr const char* kDevice = "crypto_aesni_gcm0";

void must(bool holds, const char* what) {
  if (holds) return;
  fmt::print(stderr, "librte_ipsec: {}\n", what);
  std::exit(EXIT_FAILURE);
}

std::uint8_t open_device() {
  must(rte_eal_hotplug_add("vdev", kDevice, "") == 0, "no crypto_aesni_gcm device");
  const int id = rte_cryptodev_get_dev_id(kDevice);
  must(id >= 0, "the device has no number");
  const auto device = static_cast<std::uint8_t>(id);
  rte_cryptodev_config config{};
  config.socket_id = SOCKET_ID_ANY;
  config.nb_queue_pairs = 1;
  must(rte_cryptodev_configure(device, &config) == 0, "the device is not to be configured");
  rte_cryptodev_qp_conf queue{};
  queue.nb_descriptors = 2'048;
  must(rte_cryptodev_queue_pair_setup(device, 0, &queue, SOCKET_ID_ANY) == 0, "no queue pair");
  must(rte_cryptodev_start(device) == 0, "the device does not start");
  return device;
}

// Ethernet and IPv4, which says ESP.
std::array<std::uint8_t, 34> outside() {
  std::array<std::uint8_t, 34> made{};
  made[12] = 0x08;
  made[14] = 0x45;
  made[22] = 64;
  made[23] = IPPROTO_ESP;
  return made;
}

}  // namespace

struct IpsecPeer::State {
  std::array<std::uint8_t, 16> key{1, 2, 3};
  std::array<std::uint8_t, 34> header = outside();
  std::uint8_t device = 0;
  rte_mempool* sessions = nullptr;
  void* crypto = nullptr;
  std::vector<std::uint64_t> association;
  rte_ipsec_session session{};
};

IpsecPeer::IpsecPeer() : state_(std::make_unique<State>()) {
  State& state = *state_;
  state.device = open_device();
  rte_crypto_sym_xform transform{};
  transform.type = RTE_CRYPTO_SYM_XFORM_AEAD;
  transform.aead.op = RTE_CRYPTO_AEAD_OP_ENCRYPT;
  transform.aead.algo = RTE_CRYPTO_AEAD_AES_GCM;
  transform.aead.key = {.data = state.key.data(), .length = 16};
  transform.aead.iv = {.offset = 0, .length = 12};
  transform.aead.digest_length = 16;
  transform.aead.aad_length = 12;
  const unsigned size = rte_cryptodev_sym_get_private_session_size(state.device);
  state.sessions = rte_cryptodev_sym_session_pool_create("sessions", 8, size, 0, 0, SOCKET_ID_ANY);
  must(state.sessions != nullptr, "no pool of sessions");
  state.crypto = rte_cryptodev_sym_session_create(state.device, &transform, state.sessions);
  must(state.crypto != nullptr, "no session of the cipher");

  rte_ipsec_sa_prm wanted{};
  wanted.ipsec_xform.spi = 0x1000;
  wanted.ipsec_xform.salt = 0x01020304;
  wanted.ipsec_xform.options.esn = 1;
  wanted.ipsec_xform.direction = RTE_SECURITY_IPSEC_SA_DIR_EGRESS;
  wanted.ipsec_xform.proto = RTE_SECURITY_IPSEC_SA_PROTO_ESP;
  wanted.ipsec_xform.mode = RTE_SECURITY_IPSEC_SA_MODE_TUNNEL;
  wanted.ipsec_xform.tunnel.type = RTE_SECURITY_IPSEC_TUNNEL_IPV4;
  wanted.crypto_xform = &transform;
  wanted.tun = {
      .hdr_len = 34, .hdr_l3_off = 14, .next_proto = IPPROTO_IPIP, .hdr = state.header.data()};
  const int length = rte_ipsec_sa_size(&wanted);
  must(length > 0, "no association");
  state.association.resize(static_cast<std::size_t>(length) / 8 + 9);
  auto* association =
      reinterpret_cast<rte_ipsec_sa*>(RTE_PTR_ALIGN(state.association.data(), RTE_CACHE_LINE_SIZE));
  must(rte_ipsec_sa_init(association, &wanted, static_cast<std::uint32_t>(length)) > 0,
       "the association does not begin");
  state.session.sa = association;
  state.session.type = RTE_SECURITY_ACTION_TYPE_CPU_CRYPTO;
  state.session.crypto.ses = static_cast<rte_cryptodev_sym_session*>(state.crypto);
  state.session.crypto.dev_id = state.device;
  must(rte_ipsec_session_prepare(&state.session) == 0, "the session is not to be prepared");
}

IpsecPeer::~IpsecPeer() {
  rte_cryptodev_sym_session_free(state_->device, state_->crypto);
  rte_cryptodev_stop(state_->device);
  rte_eal_hotplug_remove("vdev", kDevice);
  rte_mempool_free(state_->sessions);
}

void IpsecPeer::encapsulate(std::span<rte_mbuf*> frames) {
  for (rte_mbuf* frame : frames) {
    frame->l2_len = 14;
    frame->l3_len = 20;
  }
  const auto count = static_cast<std::uint16_t>(frames.size());
  const bool prepared = rte_ipsec_pkt_cpu_prepare(&state_->session, frames.data(), count) == count;
  must(prepared && rte_ipsec_pkt_process(&state_->session, frames.data(), count) == count,
       "not every packet was sealed");
}

}  // namespace castgate::bench
