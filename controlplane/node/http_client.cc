// SPDX-License-Identifier: Apache-2.0
// The one file that knows Beast: it takes long to compile.
#include "controlplane/node/http_client.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <charconv>
#include <exception>
#include <fmt/format.h>
#include <utility>

#include "controlplane/node/relay_answers.h"

namespace castgate {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using Tcp = asio::ip::tcp;
using Answer = Result<HttpAnswer>;
using Request = http::request<http::string_body>;

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);
constexpr std::uint32_t kLongestHeader = 8192;

// What every exchange of a client needs; it outlives the client while one is under way.
struct Shared {
  HttpClient::Config config;
  asio::ssl::context tls{asio::ssl::context::tls_client};
};

http::verb verb_of(HttpMethod method) {
  return method == HttpMethod::Post  ? http::verb::post
         : method == HttpMethod::Put ? http::verb::put
                                     : http::verb::delete_;
}

Request make_request(const RelayRequest& asked, const std::string& token) {
  constexpr unsigned kHttp11 = 11;
  Request request{verb_of(asked.method), asked.to.path, kHttp11};
  request.set(http::field::host, asked.to.authority());
  request.set(http::field::user_agent, "castgate-node/" CASTGATE_VERSION);
  request.set(http::field::accept, "application/json, application/problem+json");
  if (!token.empty()) request.set(http::field::authorization, "Bearer " + token);
  if (!asked.body.empty()) {
    request.set(http::field::content_type, "application/json");
    request.body() = asked.body;
  }
  request.keep_alive(false);
  request.prepare_payload();
  return request;
}

std::string_view view(beast::string_view text) {
  return {text.data(), text.size()};
}

HttpAnswer make_answer(http::response<http::string_body> response) {
  HttpAnswer answer;
  answer.status = response.result_int();
  answer.location = view(response[http::field::location]);
  const std::string_view after = view(response[http::field::retry_after]);
  std::from_chars(after.data(), after.data() + after.size(), answer.retry_after_s);
  answer.body = std::move(response.body());
  return answer;
}

auto cannot(const beast::error_code& error) {
  return fail(error.message());
}

template <class Stream>
asio::awaitable<Answer> exchange(Stream& stream, Request request) {
  auto [not_sent, sent] = co_await http::async_write(stream, request, kTuple);
  if (not_sent) co_return cannot(not_sent);
  beast::flat_buffer buffer(kLongestHeader + kLongestAnswer);
  http::response_parser<http::string_body> parser;
  parser.header_limit(kLongestHeader);
  parser.body_limit(kLongestAnswer);
  auto [not_read, read] = co_await http::async_read(stream, buffer, parser, kTuple);
  if (not_read) co_return cannot(not_read);
  co_return make_answer(parser.release());
}

asio::awaitable<Answer> over_tls(beast::tcp_stream plain, const HttpPlace& to, Request request,
                                 Shared& shared) {
  beast::ssl_stream<beast::tcp_stream> stream(std::move(plain), shared.tls);
  stream.set_verify_mode(asio::ssl::verify_peer);
  stream.set_verify_callback(asio::ssl::host_name_verification(to.host));
  // Its macro casts as C does. OpenSSL copies the name.
  SSL_ctrl(stream.native_handle(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
           const_cast<char*>(to.host.c_str()));
  auto [refused] = co_await stream.async_handshake(asio::ssl::stream_base::client, kTuple);
  if (refused) {
    const auto verified = SSL_get_verify_result(stream.native_handle());
    if (verified == X509_V_OK) co_return cannot(refused);
    co_return fail(fmt::format("its certificate is not good: {}; --ca FILE names an authority",
                               X509_verify_cert_error_string(verified)));
  }
  co_return co_await exchange(stream, std::move(request));
}

// A literal address needs no resolver, whose thread cannot be interrupted.
asio::awaitable<std::pair<beast::error_code, std::vector<Tcp::endpoint>>> resolve(
    const HttpPlace& to) {
  std::vector<Tcp::endpoint> found;
  beast::error_code not_literal;
  const auto address = asio::ip::make_address(to.host, not_literal);
  if (!not_literal) {
    found.emplace_back(address, to.port);
    co_return std::pair{beast::error_code{}, found};
  }
  Tcp::resolver resolver(co_await asio::this_coro::executor);
  auto [error, names] = co_await resolver.async_resolve(to.host, std::to_string(to.port), kTuple);
  for (const auto& entry : names) found.push_back(entry.endpoint());
  co_return std::pair{error, found};
}

asio::awaitable<Answer> ask_once(std::shared_ptr<Shared> shared, RelayRequest asked) {
  const HttpPlace& to = asked.to;
  const auto [unknown, endpoints] = co_await resolve(to);
  if (unknown) co_return cannot(unknown);
  beast::tcp_stream stream(co_await asio::this_coro::executor);
  stream.expires_after(shared->config.timeout);
  auto [refused, peer] = co_await stream.async_connect(endpoints, kTuple);
  if (refused) co_return cannot(refused);
  if (!to.tls && !shared->config.token.empty() && !peer.address().is_loopback()) {
    co_return fail("the token would travel in clear: use rests://");
  }
  Request request = make_request(asked, shared->config.token);
  if (to.tls) co_return co_await over_tls(std::move(stream), to, std::move(request), *shared);
  co_return co_await exchange(stream, std::move(request));
}

class BeastClient final : public HttpClient {
 public:
  BeastClient(asio::io_context& io, std::shared_ptr<Shared> shared)
      : io_(io), shared_(std::move(shared)) {}

  void ask(const RelayRequest& request, Done done) override {
    asio::co_spawn(io_, ask_once(shared_, request),
                   [done = std::move(done)](const std::exception_ptr& thrown, Answer answer) {
                     done(thrown ? fail("out of memory") : std::move(answer));
                   });
  }

 private:
  asio::io_context& io_;
  std::shared_ptr<Shared> shared_;
};

}  // namespace

Result<std::unique_ptr<HttpClient>> HttpClient::open(asio::io_context& io, const Config& config) {
  auto shared = std::make_shared<Shared>();
  shared->config = config;
  beast::error_code error;
  shared->tls.set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 |
                              asio::ssl::context::no_tlsv1_1,
                          error);
  if (!error && config.ca_file.empty()) shared->tls.set_default_verify_paths(error);
  if (!error && !config.ca_file.empty()) {
    shared->tls.load_verify_file(config.ca_file, error);
  }
  if (error) {
    return fail(
        fmt::format("--ca {}: {}; expected certificates as PEM", config.ca_file, error.message()));
  }
  return std::make_unique<BeastClient>(io, std::move(shared));
}

}  // namespace castgate
