// SPDX-License-Identifier: Apache-2.0
// Any frame may be punted as an ICMP error: what is read of it holds together, and what follows the
// IP packet in its frame changes nothing.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "controlplane/clients/icmp_error.h"
#include "dataplane/base/check.h"

namespace castgate {

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto* const bytes = reinterpret_cast<const std::byte*>(data);
  std::vector<std::byte> frame(bytes, bytes + size);
  const auto error = icmp_error_in(frame);
  frame.resize(frame.size() + 7, std::byte{0xa5});
  const auto padded = icmp_error_in(frame);
  if (!error) return 0;
  CG_CHECK(padded && padded->client == error->client && padded->mtu == error->mtu);
  CG_CHECK(padded->quote.begin == error->quote.begin);
  CG_CHECK(padded->quote.begin_bytes == error->quote.begin_bytes);
  CG_CHECK(error->client.udp_port != 0);
  CG_CHECK(error->mtu == 0 || error->kind == IcmpError::Kind::TooBig);
  return 0;
}

}  // namespace castgate
