// SPDX-License-Identifier: Apache-2.0
#include "controlplane/admin/metrics_door.h"

#include <utility>

#include "controlplane/admin/metrics.h"

namespace castgate {

HttpResponse MetricsDoor::answer(const HttpRequest& request,
                                 const std::function<Status()>& status) {
  if (request.target.substr(0, request.target.find('?')) != "/metrics") {
    return problem(404, "there is /metrics, and nothing else");
  }
  if (request.method != "GET" && request.method != "HEAD") {
    HttpResponse refused = problem(405, "/metrics knows GET");
    refused.headers.emplace_back("Allow", "GET");
    return refused;
  }
  return {.status = 200,
          .body = metrics_text(status()),
          .type = std::string(kMetricsContentType),
          .headers = {}};
}

Result<std::unique_ptr<MetricsDoor>> MetricsDoor::open(boost::asio::io_context& io,
                                                       const MetricsDoorSpec& spec,
                                                       std::function<Status()> status) {
  HttpServer::Options options;
  options.listen = spec.listen;
  options.admits = [allow = spec.allow](const IpAddress& peer) { return may_come(peer, allow); };
  auto server = HttpServer::open(
      io, std::move(options),
      [status = std::move(status)](const HttpRequest& request) { return answer(request, status); });
  if (!server) return fail("doors.metrics: " + server.error().text);
  return std::unique_ptr<MetricsDoor>(new MetricsDoor(*std::move(server)));
}

}  // namespace castgate
