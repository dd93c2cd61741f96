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

// What castgate says, taken line by line or in pieces of a known length.
class Replies {
 public:
  Replies(int descriptor, const std::string& path) : descriptor_(descriptor), path_(path) {}

  // Without its newline.
  Result<std::string> line() {
    std::size_t end = 0;
    while ((end = waiting_.find('\n')) == std::string::npos) {
      if (auto more = receive(); !more) return std::unexpected(more.error());
    }
    std::string line = waiting_.substr(0, end);
    waiting_.erase(0, end + 1);
    return line;
  }
  Result<std::string> bytes(std::size_t count) {
    while (waiting_.size() < count) {
      if (auto more = receive(); !more) return std::unexpected(more.error());
    }
    std::string taken = waiting_.substr(0, count);
    waiting_.erase(0, count);
    return taken;
  }

 private:
  Result<void> receive() {
    if (waiting_.size() >= kMaxReply) {
      return fail(fmt::format("castgate on {}: the answer is too long", path_));
    }
    ssize_t got = 0;
    do {
      got = ::recv(descriptor_, part_.data(), part_.size(), 0);
    } while (got < 0 && errno == EINTR);
    if (got < 0) return fail(fmt::format("castgate on {} does not answer: {}", path_, reason()));
    if (got == 0)
      return fail(
          fmt::format("castgate on {} closed without an answer; too many ask "
                      "at once: try again",
                      path_));
    waiting_.append(part_, 0, static_cast<std::size_t>(got));
    return {};
  }

  int descriptor_;
  const std::string& path_;
  std::string part_ = std::string(64u << 10, '\0');
  std::string waiting_;
};

Result<void> send_request(int descriptor, const std::string& path, const nlohmann::json& request) {
  if (descriptor < 0) return nobody(path);
  if (auto ok = connect_to(descriptor, path); !ok) return ok;
  const std::string line = request.dump() + '\n';
  if (::send(descriptor, line.data(), line.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(line.size()))
    return nobody(path);
  return {};
}

Result<nlohmann::json> parse_reply(const std::string& line, const std::string& path) {
  nlohmann::json parsed = nlohmann::json::parse(line, nullptr, false);
  if (!parsed.is_object()) return fail(fmt::format("{}: that is no castgate", path));
  if (const auto error = parsed.find("error"); error != parsed.end())
    return fail(fmt::format("castgate on {}: {}", path, error->dump()));
  return parsed;
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
  if (auto sent = send_request(socket.get(), path, request); !sent) {
    return std::unexpected(sent.error());
  }
  auto reply = Replies(socket.get(), path).line();
  if (!reply) return std::unexpected(reply.error());
  return parse_reply(*reply, path);
}

Result<nlohmann::json> stream_castgate(
    const std::string& path, const nlohmann::json& request,
    const std::function<bool(std::span<const std::byte>)>& sink) {
  const Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (auto sent = send_request(socket.get(), path, request); !sent) {
    return std::unexpected(sent.error());
  }
  Replies replies(socket.get(), path);
  for (;;) {
    auto line = replies.line();
    if (!line) return std::unexpected(line.error());
    auto reply = parse_reply(*line, path);
    if (!reply || !reply->contains("bytes")) return reply;
    auto bytes = replies.bytes(reply->value("bytes", std::size_t{0}));
    if (!bytes) return std::unexpected(bytes.error());
    if (!sink(std::as_bytes(std::span(*bytes)))) return nlohmann::json();
  }
}

}  // namespace castgate
