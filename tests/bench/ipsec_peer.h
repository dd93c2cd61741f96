// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include <rte_mbuf.h>

namespace castgate::bench {

// librte_ipsec over the crypto device of IPsec-MB, synchronous (CPU crypto): ESP tunnels with
// AES-128-GCM and extended numbers, Ethernet and IPv4 outside.
class IpsecPeer {
 public:
  // After EAL. Ends the program where the device or the session cannot be had.
  IpsecPeer();
  ~IpsecPeer();
  IpsecPeer(const IpsecPeer&) = delete;
  IpsecPeer& operator=(const IpsecPeer&) = delete;

  // Whole encapsulation, in place, of frames with 14 bytes before their IPv4 header.
  void encapsulate(std::span<rte_mbuf*> frames);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace castgate::bench
