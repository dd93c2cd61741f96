// SPDX-License-Identifier: Apache-2.0
#include "controlplane/http/http_session.h"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/serializer.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <openssl/crypto.h>
#include <optional>
#include <type_traits>

namespace castgate {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using ErrorCode = boost::system::error_code;
using PlainStream = beast::tcp_stream;
using TlsStream = beast::ssl_stream<beast::tcp_stream>;

std::string_view view(beast::string_view text) {
  return {text.data(), text.size()};
}

// The answer to what could not be read; none where there is nobody to tell.
std::optional<std::pair<unsigned, std::string_view>> reason_of(const ErrorCode& error) {
  if (error == http::error::body_limit) return {{413, "the body is longer than 65536 bytes"}};
  if (error == http::error::header_limit) return {{431, "the header is longer than 8192 bytes"}};
  if (error == http::error::end_of_stream || error == http::error::partial_message) return {};
  if (error.category() == make_error_code(http::error::bad_method).category()) {
    return {{400, "this is no HTTP/1.1 request"}};
  }
  return {};
}

template <class Stream>
class Session : public std::enable_shared_from_this<Session<Stream>> {
 public:
  template <class... More>
  Session(std::shared_ptr<HttpHost> host, const IpAddress& peer,
          std::shared_ptr<asio::ssl::context> tls, asio::ip::tcp::socket socket, More&... more)
      : host_(std::move(host)),
        peer_(peer),
        tls_(std::move(tls)),
        stream_(std::move(socket), more...) {}
  ~Session() {
    wipe();
    host_->left(peer_);
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void begin() {
    if constexpr (std::is_same_v<Stream, TlsStream>) {
      be_patient();
      stream_.async_handshake(asio::ssl::stream_base::server,
                              [self = this->shared_from_this()](ErrorCode error) {
                                if (!error) self->read();
                              });
    } else {
      read();
    }
  }

 private:
  void be_patient() { beast::get_lowest_layer(stream_).expires_after(host_->patience()); }

  void read() {
    parser_.emplace();
    parser_->body_limit(HttpServer::kMaxBody);
    parser_->header_limit(HttpServer::kMaxHeader);
    be_patient();
    http::async_read(
        stream_, buffer_, *parser_,
        [self = this->shared_from_this()](ErrorCode error, std::size_t) { self->got(error); });
  }

  void got(ErrorCode error) {
    if (!host_->runs()) return;
    if (error) {
      if (const auto reason = reason_of(error)) {
        write(host_->refuse(reason->first, reason->second), false);
      }
      return;
    }
    // NOLINTNEXTLINE(bugprone-unchecked-optional-access): read() made it.
    const auto& message = parser_->get();
    const std::string_view body = message.body();
    const HttpRequest request{.method = view(message.method_string()),
                              .target = view(message.target()),
                              .body = body,
                              .authorization = view(message[http::field::authorization]),
                              .content_type = view(message[http::field::content_type]),
                              .peer = peer_,
                              .private_way = tls_ != nullptr || peer_.is_loopback()};
    write(host_->answer(request), message.keep_alive());
  }

  void write(HttpResponse answer, bool keep) {
    // NOLINTNEXTLINE(bugprone-unchecked-optional-access): read() made it.
    const bool head = parser_->get().method() == http::verb::head;
    wipe();
    response_.emplace(static_cast<http::status>(answer.status), 11);
    secret_ = answer.secret;
    response_->set(http::field::server, "castgate");
    response_->set(http::field::cache_control, "no-store");
    if (!answer.body.empty()) response_->set(http::field::content_type, answer.type);
    for (const auto& [name, value] : answer.headers) response_->set(name, value);
    response_->body() = std::move(answer.body);
    response_->keep_alive(keep);
    response_->prepare_payload();
    if (head) {
      wipe();
      response_->body().clear();  // its length stays told
    }
    be_patient();
    auto& serializer = serializer_.emplace(*response_);
    if (!secret_) return write_rest(keep);
    // What is written at once is put together for TLS, in memory that nobody wipes: the header
    // goes first.
    http::async_write_header(stream_, serializer,
                             [self = this->shared_from_this(), keep](ErrorCode error, std::size_t) {
                               if (!error) self->write_rest(keep);
                             });
  }

  void write_rest(bool keep) {
    // NOLINTNEXTLINE(bugprone-unchecked-optional-access): write() made it.
    http::async_write(stream_, *serializer_,
                      [self = this->shared_from_this(), keep](ErrorCode error, std::size_t) {
                        self->wipe();
                        if (error) return;
                        if (keep) return self->read();
                        self->close();
                      });
  }

  void wipe() {
    if (secret_ && response_) OPENSSL_cleanse(response_->body().data(), response_->body().size());
    secret_ = false;
  }

  void close() {
    if constexpr (std::is_same_v<Stream, TlsStream>) {
      be_patient();
      stream_.async_shutdown([self = this->shared_from_this()](ErrorCode) {});
    } else {
      ErrorCode none;
      static_cast<void>(stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_send, none));
    }
  }

  std::shared_ptr<HttpHost> host_;
  IpAddress peer_;
  std::shared_ptr<asio::ssl::context> tls_;
  Stream stream_;
  beast::flat_buffer buffer_{2 * HttpServer::kMaxBody};
  std::optional<http::request_parser<http::string_body>> parser_;
  std::optional<http::response<http::string_body>> response_;
  std::optional<http::response_serializer<http::string_body>> serializer_;
  bool secret_ = false;  // the response, until it is written
};

}  // namespace

void serve_http(std::shared_ptr<HttpHost> host, asio::ip::tcp::socket socket,
                const std::shared_ptr<asio::ssl::context>& tls, const IpAddress& peer) {
  if (tls) {
    std::make_shared<Session<TlsStream>>(std::move(host), peer, tls, std::move(socket), *tls)
        ->begin();
  } else {
    std::make_shared<Session<PlainStream>>(std::move(host), peer, nullptr, std::move(socket))
        ->begin();
  }
}

}  // namespace castgate
