// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "dataplane/base/error.h"

namespace castgate {

// Serves the control socket: lines in, lines out, mode 0660. No peer can hold anything up:
// requests, sessions and waiting replies are bounded, and a peer that neither asks nor reads is let
// go.
class ControlSocket {
 public:
  using Handler = std::function<std::string(std::string_view line)>;  // reply with its newline

  static constexpr unsigned kMaxSessions = 16;

  // Creates the directory, removes a socket that nobody serves, and refuses one that somebody does.
  // `answer_within` bounds both the wait for a request and the time a peer has to read a reply.
  static Result<std::unique_ptr<ControlSocket>> open(
      boost::asio::io_context& io, const std::string& path, Handler handler,
      std::chrono::milliseconds answer_within = std::chrono::seconds(5));

  ~ControlSocket();  // removes the socket
  ControlSocket(const ControlSocket&) = delete;
  ControlSocket& operator=(const ControlSocket&) = delete;

 private:
  struct Server;
  explicit ControlSocket(std::shared_ptr<Server> server) : server_(std::move(server)) {}

  std::shared_ptr<Server> server_;
};

}  // namespace castgate
