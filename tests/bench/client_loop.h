// SPDX-License-Identifier: Apache-2.0
// Sealing for clients who each have a key of their own, as replicate has it done.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

#include <rte_mbuf.h>

#include "dataplane/protect/client_sealer.h"
#include "tests/bench/protect_loops.h"

namespace castgate::bench {

class ClientLoop {
 public:
  // `payload`: bytes from the RTP header on. Copies go to buffers of `pool`, over and over.
  ClientLoop(rte_mempool* pool, unsigned keys, unsigned payload) : keys_(keys), clear_(payload) {
    clear_[0] = std::byte{0x80};
    ProtectSpec spec = stream_of(ProtectProfile::SrtpGcm).outputs[0].protect;
    spec.isolation = Isolation::PerClient;
    sealing_ = ClientSealing(spec);
    const auto ciphers = Ciphers::make();
    std::vector<std::byte> bytes = key_bytes_of(key_file_bytes(spec));
    for (unsigned k = 0; k < keys; ++k) {
      if (k % 64 == 0) seals_.push_back(make_secret<ClientSeals>());
      std::memcpy(bytes.data(), &k, sizeof k);
      (*seals_.back())[k % 64].set(*ciphers, spec, ClientKey(bytes, kSsrc + k, 0));
    }
    if (rte_pktmbuf_alloc_bulk(pool, packets_.data(), kPackets) != 0) std::exit(EXIT_FAILURE);
  }
  ~ClientLoop() {
    for (rte_mbuf* packet : packets_) rte_pktmbuf_free(packet);
  }
  ClientLoop(const ClientLoop&) = delete;
  ClientLoop& operator=(const ClientLoop&) = delete;

  // As the next packets come: each for all clients in the order of their slots.
  std::uint64_t run(std::uint64_t packets) {
    std::array<ClientSealer::Copy, ClientSealer::kMost> copies;
    for (std::uint64_t n = 0; n < packets; n += copies.size()) {
      for (ClientSealer::Copy& copy : copies) {
        copy = {&(*seals_[at_ / 64])[at_ % 64], Frames::rtp_of(packets_[buffer_])};
        at_ = (at_ + 1) % keys_;
        buffer_ = (buffer_ + 1) % kPackets;
      }
      sealed_all_ &= !sealer_->seal(sealing_, clear_, copies) &&
                     std::ranges::all_of(copies, &ClientSealer::Copy::sealed);
      for (unsigned i = 0; i < ClientSealer::kAhead; ++i) {
        const unsigned next = (at_ + i) % keys_;
        ClientSealer::fetch(sealing_, (*seals_[next / 64])[next % 64]);
      }
    }
    return packets;
  }
  bool sealed_all() const { return sealed_all_; }

 private:
  unsigned keys_;
  std::vector<std::byte> clear_;
  ClientSealing sealing_;
  std::vector<Secret<ClientSeals>> seals_;
  std::array<rte_mbuf*, kPackets> packets_{};
  std::unique_ptr<ClientSealer> sealer_ = make_client_sealer();
  unsigned at_ = 0;
  unsigned buffer_ = 0;
  bool sealed_all_ = true;
};

}  // namespace castgate::bench
