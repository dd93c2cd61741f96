// SPDX-License-Identifier: Apache-2.0
#include "controlplane/conductor/control_socket.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "controlplane/conductor/control_protocol.h"

namespace castgate {
namespace {

namespace asio = boost::asio;
using Local = asio::local::stream_protocol;
using ErrorCode = boost::system::error_code;

constexpr std::chrono::milliseconds kRest{100};
constexpr std::chrono::milliseconds kStreamTurn{1};
constexpr mode_t kSocketMask = 0117;  // leaves 0660

// Whatever stands at `path` already: nothing, a socket nobody serves (removed), or a reason to
// stop.
Result<void> make_room(asio::io_context& io, const std::string& path) {
  std::error_code none;
  const auto status = std::filesystem::symlink_status(path, none);
  if (!std::filesystem::exists(status)) return {};
  if (status.type() != std::filesystem::file_type::socket)
    return fail(
        fmt::format("control socket {}: a file that is no socket is there; name another "
                    "with --socket",
                    path));
  ErrorCode error;
  Local::socket probe(io, Local());
  probe.non_blocking(true);
  static_cast<void>(probe.connect(Local::endpoint(path), error));
  if (!error || error == asio::error::would_block)
    return fail(
        fmt::format("control socket {}: a castgate runs there already; stop it, or name "
                    "another socket with --socket",
                    path));
  if (error != asio::error::connection_refused)
    return fail(
        fmt::format("control socket {}: {}; name another with --socket", path, error.message()));
  if (!std::filesystem::remove(path, none))
    return fail(
        fmt::format("control socket {}: cannot remove the stale one: {}", path, none.message()));
  return {};
}

Result<void> listen_on(Local::acceptor& acceptor, const std::string& path) {
  ErrorCode error;
  static_cast<void>(acceptor.open(Local(), error));
  const mode_t before = ::umask(kSocketMask);
  if (!error) static_cast<void>(acceptor.bind(Local::endpoint(path), error));
  ::umask(before);
  if (!error) {
    static_cast<void>(acceptor.listen(asio::socket_base::max_listen_connections, error));
  }
  if (error) return fail(fmt::format("control socket {}: {}", path, error.message()));
  return {};
}

}  // namespace

struct ControlSocket::Server : std::enable_shared_from_this<Server> {
  struct Session;

  Server(asio::io_context& io, std::string path_of, Handler handler_of,
         std::chrono::milliseconds limit)
      : acceptor(io),
        rest(io),
        path(std::move(path_of)),
        handler(std::move(handler_of)),
        within(limit) {}

  void accept();
  void stop() {
    ErrorCode none;
    static_cast<void>(acceptor.close(none));
    rest.cancel();
    ::unlink(path.c_str());
  }

  Local::acceptor acceptor;
  asio::steady_timer rest;  // after a failed accept: out of descriptors, most likely
  std::string path;
  Handler handler;
  StreamHandler streams;
  std::chrono::milliseconds within;
  unsigned sessions = 0;
};

// One peer: reads a line, writes its answer, and so on. One reply at a time waits to be written.
struct ControlSocket::Server::Session : std::enable_shared_from_this<Session> {
  Session(std::shared_ptr<Server> server_of, Local::socket socket_of)
      : server(std::move(server_of)), socket(std::move(socket_of)), timer(socket.get_executor()) {
    ++server->sessions;
  }
  ~Session() { --server->sessions; }

  void let_go_later() {
    timer.expires_after(server->within);
    timer.async_wait([self = weak_from_this()](ErrorCode error) {
      if (error) return;
      ErrorCode none;
      if (const auto session = self.lock()) static_cast<void>(session->socket.close(none));
    });
  }

  void read() {
    let_go_later();
    asio::async_read_until(socket, asio::dynamic_buffer(request, kMaxRequest), '\n',
                           [self = shared_from_this()](ErrorCode error, std::size_t length) {
                             self->got(error, length);
                           });
  }

  void got(ErrorCode error, std::size_t length) {
    if (error == asio::error::not_found)
      return write(fmt::format("{{\"error\":\"request is longer than {} bytes\"}}\n", kMaxRequest),
                   false);
    if (error || !server->acceptor.is_open()) return;
    const std::string_view line = std::string_view(request).substr(0, length - 1);
    if (server->streams) stream = server->streams(line);
    if (stream) {
      watch();
      return pump();
    }
    std::string text = server->handler(line);
    request.erase(0, length);
    write(std::move(text), true);
  }

  void write(std::string text, bool go_on) {
    reply = std::move(text);
    let_go_later();
    asio::async_write(socket, asio::buffer(reply),
                      [self = shared_from_this(), go_on](ErrorCode error, std::size_t) {
                        if (error || !go_on) return;
                        self->read();
                      });
  }

  // Whatever a peer says while it is streamed to, its leaving included, ends that.
  void watch() {
    socket.async_read_some(asio::buffer(&heard, 1),
                           [self = shared_from_this()](ErrorCode, std::size_t) { self->end(); });
  }

  void end() {
    ErrorCode none;
    stream.reset();
    timer.cancel();
    static_cast<void>(socket.close(none));
  }

  void pump() {
    if (!stream || !server->acceptor.is_open()) return end();
    reply.clear();
    const bool more = stream->next(reply);
    if (reply.empty() && more) {
      timer.expires_after(kStreamTurn);
      return timer.async_wait([self = shared_from_this()](ErrorCode error) {
        if (!error) self->pump();
      });
    }
    let_go_later();
    asio::async_write(socket, asio::buffer(reply),
                      [self = shared_from_this(), more](ErrorCode error, std::size_t) {
                        if (error || !more) return self->end();
                        self->pump();
                      });
  }

  std::shared_ptr<Server> server;
  Local::socket socket;
  std::unique_ptr<ReplyStream> stream;
  char heard = 0;
  asio::steady_timer timer;
  std::string request;
  std::string reply;
};

void ControlSocket::Server::accept() {
  acceptor.async_accept([self = shared_from_this()](ErrorCode error, Local::socket peer) {
    if (!self->acceptor.is_open()) return;
    // Over the limit the peer is closed at once and may come again.
    if (!error && self->sessions < kMaxSessions)
      std::make_shared<Session>(self, std::move(peer))->read();
    if (!error) return self->accept();
    self->rest.expires_after(kRest);
    self->rest.async_wait([self](ErrorCode stopped) {
      if (!stopped) self->accept();
    });
  });
}

Result<std::unique_ptr<ControlSocket>> ControlSocket::open(asio::io_context& io,
                                                           const std::string& path, Handler handler,
                                                           std::chrono::milliseconds answer_within,
                                                           StreamHandler streams) {
  if (path.size() >= sizeof(sockaddr_un::sun_path))
    return fail(
        fmt::format("control socket {}: path is longer than {} bytes; name a shorter one "
                    "with --socket",
                    path, sizeof(sockaddr_un::sun_path) - 1));
  if (const auto directory = std::filesystem::path(path).parent_path(); !directory.empty()) {
    std::error_code error;
    std::filesystem::create_directories(directory, error);
    if (error)
      return fail(
          fmt::format("control socket {}: cannot create its directory: {}; name another "
                      "with --socket",
                      path, error.message()));
  }
  if (auto ok = make_room(io, path); !ok) return std::unexpected(ok.error());
  auto server = std::make_shared<Server>(io, path, std::move(handler), answer_within);
  if (auto ok = listen_on(server->acceptor, path); !ok) return std::unexpected(ok.error());
  server->streams = std::move(streams);
  server->accept();
  return std::unique_ptr<ControlSocket>(new ControlSocket(std::move(server)));
}

// NOLINTNEXTLINE(bugprone-exception-escape): a timer's cancel() throws nothing that is not a bug.
ControlSocket::~ControlSocket() {
  server_->stop();
}

}  // namespace castgate
