// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>

#include "controlplane/conductor/control_protocol.h"
#include "controlplane/http/http_server.h"

namespace castgate {

// GET /metrics, as Prometheus asks for it.
class MetricsDoor {
 public:
  static Result<std::unique_ptr<MetricsDoor>> open(boost::asio::io_context& io,
                                                   const MetricsDoorSpec& spec,
                                                   std::function<Status()> status);

  // Without a network.
  static HttpResponse answer(const HttpRequest& request, const std::function<Status()>& status);

 private:
  explicit MetricsDoor(std::unique_ptr<HttpServer> server) : server_(std::move(server)) {}

  std::unique_ptr<HttpServer> server_;
};

}  // namespace castgate
