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

// A reply that has no end yet. Its peer's leaving destroys it.
class ReplyStream {
 public:
  ReplyStream() = default;
  ReplyStream(const ReplyStream&) = delete;
  ReplyStream& operator=(const ReplyStream&) = delete;
  virtual ~ReplyStream() = default;
  // Puts what is ready at the end of `into`; false where nothing follows it. Asked once a
  // millisecond, and not before the peer has taken what it put there last.
  virtual bool next(std::string& into) = 0;
};

// Serves the control socket: lines in, lines out, mode 0660. No peer can hold anything up:
// requests, sessions and waiting replies are bounded, and a peer that neither asks nor reads is let
// go.
class ControlSocket {
 public:
  using Handler = std::function<std::string(std::string_view line)>;  // reply with its newline
  // Null where the request wants no stream: then the handler answers.
  using StreamHandler = std::function<std::unique_ptr<ReplyStream>(std::string_view line)>;

  static constexpr unsigned kMaxSessions = 16;

  // Creates the directory, removes a socket that nobody serves, and refuses one that somebody does.
  // `answer_within` bounds both the wait for a request and the time a peer has to read a reply.
  static Result<std::unique_ptr<ControlSocket>> open(
      boost::asio::io_context& io, const std::string& path, Handler handler,
      std::chrono::milliseconds answer_within = std::chrono::seconds(5),
      StreamHandler streams = {});

  ~ControlSocket();  // removes the socket
  ControlSocket(const ControlSocket&) = delete;
  ControlSocket& operator=(const ControlSocket&) = delete;

 private:
  struct Server;
  explicit ControlSocket(std::shared_ptr<Server> server) : server_(std::move(server)) {}

  std::shared_ptr<Server> server_;
};

}  // namespace castgate
