// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "controlplane/node/relay_session.h"
#include "dataplane/base/error.h"

namespace castgate {

// Asks relays over HTTP/1.1, each request on a connection of its own.
class HttpClient {
 public:
  struct Config {
    std::string token;    // empty: none
    std::string ca_file;  // PEM; empty: the system's authorities
    std::chrono::milliseconds timeout{5000};
  };
  // Called once, from the io_context.
  using Done = std::function<void(Result<HttpAnswer>)>;

  // Fails where the authorities cannot be read.
  static Result<std::unique_ptr<HttpClient>> open(boost::asio::io_context& io,
                                                  const Config& config);
  HttpClient() = default;
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;
  virtual ~HttpClient() = default;

  // Without redirection. A token leaves this machine over TLS only, however the host resolves.
  virtual void ask(const RelayRequest& request, Done done) = 0;
};

}  // namespace castgate
