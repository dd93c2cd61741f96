// SPDX-License-Identifier: Apache-2.0
#include "controlplane/http/http_server.h"

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "controlplane/http/http_session.h"
#include "controlplane/http/tls_files.h"

namespace castgate {
namespace {

namespace asio = boost::asio;
using Tcp = asio::ip::tcp;
using ErrorCode = boost::system::error_code;

constexpr std::chrono::milliseconds kRest{100};

asio::ip::address to_asio(const IpAddress& address) {
  if (address.is_v4()) return asio::ip::address_v4(address.v4_host_order());
  return asio::ip::address_v6(address.bytes());
}

IpAddress from_asio(const asio::ip::address& address) {
  return address.is_v4() ? IpAddress::v4(address.to_v4().to_uint())
                         : IpAddress::v6(address.to_v6().to_bytes());
}

}  // namespace

bool may_come(const IpAddress& peer, const std::vector<IpPrefix>& allow) noexcept {
  return peer.is_loopback() ||
         std::ranges::any_of(allow, [&](const IpPrefix& own) { return own.contains(peer); });
}

HttpResponse problem(unsigned status, std::string_view detail) {
  using nlohmann::json;
  const auto title = boost::beast::http::obsolete_reason(boost::beast::http::int_to_status(status));
  const json body{{"type", "about:blank"},
                  {"title", std::string(title.data(), title.size())},
                  {"status", status},
                  {"detail", detail}};
  return {.status = status,
          .body = body.dump(-1, ' ', false, json::error_handler_t::replace) + '\n',
          .type = "application/problem+json",
          .headers = {}};
}

struct Listener {
  explicit Listener(asio::io_context& io) : acceptor(io), rest(io) {}

  Tcp::acceptor acceptor;
  asio::steady_timer rest;  // after a failed accept: out of descriptors, most likely
};

struct HttpServer::Body final : HttpHost, std::enable_shared_from_this<Body> {
  Body(asio::io_context& io, Options options_of, Handler handler_of)
      : here(io), elsewhere(io), options(std::move(options_of)), handler(std::move(handler_of)) {}

  Result<void> start();
  Result<void> listen(Tcp::acceptor& acceptor) const;
  void accept(Listener& listener);
  void begin(Tcp::socket socket);
  void stop() {
    running = false;
    for (Listener* listener : {&here, &elsewhere}) {
      ErrorCode none;
      static_cast<void>(listener->acceptor.close(none));
      listener->rest.cancel();
    }
  }

  std::chrono::milliseconds patience() const override { return options.patience; }
  bool runs() const override { return running; }
  HttpResponse answer(const HttpRequest& request) override { return handler(request); }
  HttpResponse refuse(unsigned status, std::string_view why) override {
    if (options.refused) options.refused(status);
    return problem(status, why);
  }
  void left(const IpAddress& peer) override {
    --connections;
    if (const auto found = of_peer.find(peer.bytes()); --found->second == 0) of_peer.erase(found);
  }

  Listener here;
  Listener elsewhere;
  bool running = true;
  Options options;
  Handler handler;
  std::shared_ptr<asio::ssl::context> tls;
  unsigned connections = 0;
  boost::unordered_flat_map<std::array<std::uint8_t, 16>, unsigned> of_peer;
};

Result<void> HttpServer::Body::start() {
  if (options.tls) {
    auto opened = open_tls(*options.tls);
    if (!opened) return std::unexpected(opened.error());
    tls = *std::move(opened);
  }
  if (!options.listens_here) return {};
  if (auto good = listen(here.acceptor); !good) return good;
  accept(here);
  return {};
}

Result<void> HttpServer::Body::listen(Tcp::acceptor& acceptor) const {
  const Tcp::endpoint where(to_asio(options.listen.address), options.listen.udp_port);
  ErrorCode error;
  static_cast<void>(acceptor.open(where.protocol(), error));
  if (!error) static_cast<void>(acceptor.set_option(Tcp::acceptor::reuse_address(true), error));
  if (!error) static_cast<void>(acceptor.bind(where, error));
  if (!error) {
    static_cast<void>(acceptor.listen(asio::socket_base::max_listen_connections, error));
  }
  if (!error) return {};
  return fail(fmt::format("cannot listen on {}: {}", options.listen.to_string(), error.message()));
}

void HttpServer::Body::accept(Listener& listener) {
  listener.acceptor.async_accept(
      [self = shared_from_this(), &listener](ErrorCode error, Tcp::socket socket) {
        if (!self->running) return;
        if (!error) {
          self->begin(std::move(socket));
          return self->accept(listener);
        }
        listener.rest.expires_after(kRest);
        listener.rest.async_wait([self, &listener](ErrorCode stopped) {
          if (!stopped) self->accept(listener);
        });
      });
}

void HttpServer::Body::begin(Tcp::socket socket) {
  ErrorCode error;
  const auto remote = socket.remote_endpoint(error);
  if (error) return;
  static_cast<void>(socket.set_option(Tcp::no_delay(true), error));
  const IpAddress peer = from_asio(remote.address());
  if (options.admits && !options.admits(peer)) {
    if (options.refused) options.refused(403);
    return;
  }
  unsigned& own = of_peer[peer.bytes()];
  const bool crowded =
      connections >= kMaxConnections || (own >= kMaxConnectionsOfPeer && !peer.is_loopback());
  if (crowded) {
    if (own == 0) of_peer.erase(peer.bytes());
    if (options.refused) options.refused(503);
    return;
  }
  ++own;
  ++connections;
  serve_http(shared_from_this(), std::move(socket), tls, peer);
}

Result<std::unique_ptr<HttpServer>> HttpServer::open(asio::io_context& io, Options options,
                                                     Handler handler) {
  auto body = std::make_shared<Body>(io, std::move(options), std::move(handler));
  if (auto good = body->start(); !good) return std::unexpected(good.error());
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(body)));
}

// NOLINTNEXTLINE(bugprone-exception-escape): a timer's cancel() throws nothing that is not a bug.
HttpServer::~HttpServer() {
  body_->stop();
}

Result<void> HttpServer::listen_within(const Within& within) {
  Tcp::acceptor& acceptor = body_->elsewhere.acceptor;
  if (auto good = within([&] { return body_->listen(acceptor); }); !good) return good;
  body_->accept(body_->elsewhere);
  return {};
}

Result<void> HttpServer::read_certificate_again() {
  const auto& tls = body_->options.tls;
  if (!tls) return {};
  auto opened = open_tls(*tls);
  if (!opened) return std::unexpected(opened.error());
  body_->tls = *std::move(opened);
  return {};
}

std::uint16_t HttpServer::tcp_port() const {
  ErrorCode none;
  const Listener& own = body_->here.acceptor.is_open() ? body_->here : body_->elsewhere;
  return own.acceptor.local_endpoint(none).port();
}

unsigned HttpServer::connections() const {
  return body_->connections;
}

}  // namespace castgate
