// SPDX-License-Identifier: Apache-2.0
// An RTP stream to many addresses as a plain program would send it: one socket, one sendmmsg for
// all copies of a packet, until it is told to end.
//   udp_sender PAYLOAD_BYTES PACKETS_PER_SECOND ADDRESS:PORT...
// 0 packets per second: as fast as it goes.
#include <arpa/inet.h>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <vector>

namespace {

bool read_address(const char* text, sockaddr_in& to) {
  const char* colon = std::strchr(text, ':');
  if (colon == nullptr) return false;
  const std::string address(text, colon);
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(std::strtoul(colon + 1, nullptr, 10)));
  return inet_pton(AF_INET, address.c_str(), &to.sin_addr) == 1;
}

bool send_all(int socket, std::vector<mmsghdr>& copies) {
  for (std::size_t sent = 0; sent < copies.size();) {
    const auto left = static_cast<unsigned>(copies.size() - sent);
    const int some = sendmmsg(socket, copies.data() + sent, left, 0);
    if (some < 0 && errno != ENOBUFS) return false;
    if (some > 0) sent += static_cast<std::size_t>(some);
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  std::vector<std::uint8_t> payload(std::strtoul(argv[1], nullptr, 10));
  const double rate = std::strtod(argv[2], nullptr);
  std::vector<sockaddr_in> addresses(static_cast<std::size_t>(argc - 3));
  std::vector<mmsghdr> copies(addresses.size());
  iovec content{payload.data(), payload.size()};
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    if (!read_address(argv[i + 3], addresses[i])) return 2;
    copies[i].msg_hdr.msg_name = &addresses[i];
    copies[i].msg_hdr.msg_namelen = sizeof addresses[i];
    copies[i].msg_hdr.msg_iov = &content;
    copies[i].msg_hdr.msg_iovlen = 1;
  }
  const int sender = socket(AF_INET, SOCK_DGRAM, 0);
  if (sender < 0 || payload.size() < 12) return 2;
  payload[0] = 0x80;
  payload[1] = 33;
  const auto begin = std::chrono::steady_clock::now();
  for (std::uint64_t number = 0;; ++number) {
    payload[2] = static_cast<std::uint8_t>(number >> 8);
    payload[3] = static_cast<std::uint8_t>(number);
    if (!send_all(sender, copies)) break;
    if (rate == 0) continue;
    std::this_thread::sleep_until(
        begin + std::chrono::duration<double>(static_cast<double>(number) / rate));
  }
  std::perror("udp_sender");
  return 1;
}
