// SPDX-License-Identifier: Apache-2.0
#include "controlplane/conductor/control_client.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "dataplane/contract/spec.h"

namespace castgate {
namespace {

constexpr timeval kPatience{5, 0};
constexpr std::size_t kMaxReply = 256u << 20;  // 1024 streams of 8 legs are some 5 MiB

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int get() const noexcept { return number_; }

 private:
  int number_;
};

std::string reason() {
  return std::generic_category().message(errno);
}

std::unexpected<Error> nobody(const std::string& path) {
  return fail(
      fmt::format("no castgate answers on {} ({}); start one: castgate run FILE, or name "
                  "its socket with --socket",
                  path, reason()));
}

Result<void> connect_to(int descriptor, const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    return nobody(path);
  }
  std::memcpy(static_cast<char*>(address.sun_path), path.data(), path.size());
  ::setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
  ::setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience);
  const void* raw = &address;
  if (::connect(descriptor, static_cast<const sockaddr*>(raw), sizeof address) != 0)
    return nobody(path);
  return {};
}

Result<std::string> read_line(int descriptor, const std::string& path) {
  std::string line;
  std::string part(64u << 10, '\0');
  while (line.size() < kMaxReply) {
    const ssize_t got = ::recv(descriptor, part.data(), part.size(), 0);
    if (got < 0) return fail(fmt::format("castgate on {} does not answer: {}", path, reason()));
    if (got == 0)
      return fail(
          fmt::format("castgate on {} closed without an answer; too many ask "
                      "at once: try again",
                      path));
    line.append(part, 0, static_cast<std::size_t>(got));
    if (line.ends_with('\n')) return line;
  }
  return fail(fmt::format("castgate on {}: the answer is too long", path));
}

}  // namespace

std::string control_socket_path(const std::string& option) {
  if (!option.empty()) return option;
  // NOLINTNEXTLINE(concurrency-mt-unsafe): there is no second thread.
  const char* environment = std::getenv("CASTGATE_SOCKET");
  if (environment != nullptr && *environment != '\0') return environment;
  return ApplianceSpec{}.control_socket;
}

Result<nlohmann::json> ask_castgate(const std::string& path, const nlohmann::json& request) {
  const Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) return nobody(path);
  if (auto ok = connect_to(socket.get(), path); !ok) return std::unexpected(ok.error());
  const std::string line = request.dump() + '\n';
  if (::send(socket.get(), line.data(), line.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(line.size()))
    return nobody(path);
  auto reply = read_line(socket.get(), path);
  if (!reply) return std::unexpected(reply.error());
  nlohmann::json parsed = nlohmann::json::parse(*reply, nullptr, false);
  if (!parsed.is_object()) return fail(fmt::format("{}: that is no castgate", path));
  if (const auto error = parsed.find("error"); error != parsed.end())
    return fail(fmt::format("castgate on {}: {}", path, error->dump()));
  return parsed;
}

}  // namespace castgate
