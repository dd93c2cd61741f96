// SPDX-License-Identifier: Apache-2.0
// One connection of the HTTP server.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/beast/http/status.hpp>
#include <memory>

#include "controlplane/http/http_server.h"

namespace castgate {

// What connections need of their server.
class HttpHost {
 public:
  HttpHost() = default;
  HttpHost(const HttpHost&) = delete;
  HttpHost& operator=(const HttpHost&) = delete;
  virtual ~HttpHost() = default;
  virtual std::chrono::milliseconds patience() const = 0;
  virtual bool runs() const = 0;
  virtual HttpResponse answer(const HttpRequest& request) = 0;
  // To what is no request that the handler could see.
  virtual HttpResponse refuse(unsigned status, std::string_view why) = 0;
  virtual void left(const IpAddress& peer) = 0;
};

// Until the peer goes, or is let go. `tls`: null for plain HTTP.
void serve_http(std::shared_ptr<HttpHost> host, boost::asio::ip::tcp::socket socket,
                const std::shared_ptr<boost::asio::ssl::context>& tls, const IpAddress& peer);

}  // namespace castgate
