// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dataplane/base/address.h"
#include "dataplane/base/error.h"
#include "dataplane/contract/doors.h"

namespace castgate {

// A request as the handler sees it; valid while it runs.
struct HttpRequest {
  std::string_view method;
  std::string_view target;  // path and query
  std::string_view body;
  std::string_view authorization;
  std::string_view content_type;
  IpAddress peer;
  bool private_way = false;  // TLS, or loopback
};

struct HttpResponse {
  unsigned status = 200;
  std::string body;
  std::string type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers;
  bool secret = false;  // the body is wiped when it is written, and copied nowhere on its way
};

// Loopback may always come, others from these prefixes.
bool may_come(const IpAddress& peer, const std::vector<IpPrefix>& allow) noexcept;

// RFC 9457: {"type", "title", "status", "detail"} as application/problem+json.
HttpResponse problem(unsigned status, std::string_view detail);

// HTTP/1.1 with or without TLS, on the thread of `io`. No peer can hold anything up: connections,
// connections of one peer, headers and bodies are bounded, and whoever takes longer than
// `patience` over a request, a handshake or the reading of an answer is let go.
class HttpServer {
 public:
  using Handler = std::function<HttpResponse(const HttpRequest& request)>;
  // Runs what opens a socket elsewhere, as in another network namespace, where the socket stays.
  using Within = std::function<Result<void>(const std::function<Result<void>()>& open)>;
  struct Options {
    Endpoint listen;
    bool listens_here = true;  // else only where listen_within() says
    std::optional<TlsSpec> tls;
    std::chrono::milliseconds patience = std::chrono::seconds(10);
    // Asked before anything is read of a connection; it is closed where false.
    std::function<bool(const IpAddress& peer)> admits;
    // Told of every request that is answered here, before the handler saw it: the status.
    std::function<void(unsigned status)> refused;
  };

  static constexpr unsigned kMaxConnections = 2048;
  static constexpr unsigned kMaxConnectionsOfPeer = 64;  // loopback: all of them
  static constexpr std::size_t kMaxBody = 65'536;
  static constexpr std::size_t kMaxHeader = 8'192;

  // An error names what to mend: the address in use, a file that is not readable or not a
  // certificate, a key that others may read.
  static Result<std::unique_ptr<HttpServer>> open(boost::asio::io_context& io, Options options,
                                                  Handler handler);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Listens at the same address elsewhere, too. Once.
  Result<void> listen_within(const Within& within);
  // Reads certificate and key again, for connections from here on. An error leaves them as they
  // were.
  Result<void> read_certificate_again();
  std::uint16_t tcp_port() const;
  unsigned connections() const;

 private:
  struct Body;
  explicit HttpServer(std::shared_ptr<Body> body) : body_(std::move(body)) {}

  std::shared_ptr<Body> body_;
};

}  // namespace castgate
