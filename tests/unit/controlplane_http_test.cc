// SPDX-License-Identifier: Apache-2.0
// The HTTP server on loopback: what peers may do to it, and that the others do not notice.
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <filesystem>
#include <fstream>
#include <thread>

#include <gtest/gtest.h>

#include "controlplane/http/http_server.h"

namespace castgate {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

class HttpTest : public testing::Test {
 protected:
  HttpTest() {
    HttpServer::Options options;
    options.listen = Endpoint{IpAddress::v4(0x7f000001), 0};
    options.patience = std::chrono::milliseconds(300);
    options.admits = [this](const IpAddress&) { return admits_; };
    options.refused = [this](unsigned status) { refused_.push_back(status); };
    auto opened = HttpServer::open(io_, std::move(options), [](const HttpRequest& request) {
      HttpResponse answer;
      answer.body = std::string(request.method) + " " + std::string(request.target) + " " +
                    std::to_string(request.body.size()) + "\n";
      answer.type = "text/plain";
      return answer;
    });
    EXPECT_TRUE(opened) << opened.error().text;
    server_ = *std::move(opened);
    thread_ = std::thread([this] { io_.run(); });
  }
  void TearDown() override {
    asio::post(io_, [this] { server_.reset(); });
    asio::post(io_, [this] { io_.stop(); });
    thread_.join();
  }
  tcp::socket connect() {
    tcp::socket socket(client_);
    socket.connect({asio::ip::address_v4::loopback(), server_->tcp_port()});
    return socket;
  }
  // All that comes until the server closes.
  static std::string read_all(tcp::socket& socket) {
    std::string text;
    boost::system::error_code end;
    asio::read(socket, asio::dynamic_buffer(text), end);
    return text;
  }
  std::string ask(const std::string& request) {
    tcp::socket socket = connect();
    boost::system::error_code gone;
    asio::write(socket, asio::buffer(request), gone);
    return read_all(socket);
  }

  asio::io_context io_;
  asio::io_context client_;
  bool admits_ = true;
  std::vector<unsigned> refused_;  // by the server's thread; read after it has closed
  std::unique_ptr<HttpServer> server_;
  std::thread thread_;
};

constexpr const char* kClose = "Connection: close\r\n\r\n";

TEST_F(HttpTest, request_is_answered_and_connection_closed_where_asked) {
  const std::string reply = ask(std::string("GET /a?b=c HTTP/1.1\r\nHost: x\r\n") + kClose);
  EXPECT_TRUE(reply.starts_with("HTTP/1.1 200 OK\r\n")) << reply;
  EXPECT_TRUE(reply.ends_with("\r\n\r\nGET /a?b=c 0\n")) << reply;
  EXPECT_NE(reply.find("Cache-Control: no-store\r\n"), std::string::npos);
}

TEST_F(HttpTest, requests_one_after_the_other_come_back_in_their_order) {
  std::string all;
  for (int i = 0; i < 50; ++i) {
    all += "POST /" + std::to_string(i) + " HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}";
  }
  const std::string replies = ask(all + "GET /end HTTP/1.1\r\nHost: x\r\n" + kClose);
  std::size_t at = 0;
  for (int i = 0; i < 50; ++i) {
    at = replies.find("\r\n\r\nPOST /" + std::to_string(i) + " 2\n", at);
    ASSERT_NE(at, std::string::npos) << i;
  }
  EXPECT_NE(replies.find("GET /end 0\n", at), std::string::npos);
}

TEST_F(HttpTest, head_has_the_length_and_no_body) {
  const std::string reply = ask(std::string("HEAD /a HTTP/1.1\r\nHost: x\r\n") + kClose);
  EXPECT_NE(reply.find("Content-Length: 10\r\n"), std::string::npos) << reply;
  EXPECT_TRUE(reply.ends_with("\r\n\r\n")) << reply;
}

TEST_F(HttpTest, what_is_no_http_gets_400_as_a_problem) {
  for (const char* request :
       {"nonsense\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\r\n\r\n"}) {
    const std::string reply = ask(request);
    EXPECT_TRUE(reply.starts_with("HTTP/1.1 400 Bad Request\r\n")) << request << reply;
    EXPECT_NE(reply.find("application/problem+json"), std::string::npos);
  }
}

TEST_F(HttpTest, bodies_and_headers_beyond_bounds_are_refused_before_they_are_read) {
  const std::string body =
      ask("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 65537\r\n\r\n" + std::string(100, 'x'));
  EXPECT_TRUE(body.starts_with("HTTP/1.1 413 ")) << body;
  const std::string header =
      ask("GET / HTTP/1.1\r\nX: " + std::string(HttpServer::kMaxHeader, 'x') + "\r\n\r\n");
  EXPECT_TRUE(header.starts_with("HTTP/1.1 431 ")) << header;
}

TEST_F(HttpTest, whoever_is_slow_is_let_go_while_others_are_served) {
  std::vector<tcp::socket> slow;
  slow.reserve(20);
  for (int i = 0; i < 20; ++i) {
    slow.push_back(connect());
    asio::write(slow.back(), asio::buffer(std::string("GET / HTTP/1.1\r\nHo")));
  }
  EXPECT_NE(ask(std::string("GET /x HTTP/1.1\r\nHost: x\r\n") + kClose).find("GET /x"),
            std::string::npos);
  for (int drip = 0; drip < 6; ++drip) {  // a byte now and then does not help
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    for (tcp::socket& socket : slow) {
      boost::system::error_code gone;
      asio::write(socket, asio::buffer("x", 1), gone);
    }
  }
  for (tcp::socket& socket : slow) EXPECT_EQ(read_all(socket), "");
}

TEST_F(HttpTest, peer_that_is_not_admitted_hears_nothing) {
  admits_ = false;
  EXPECT_EQ(ask(std::string("GET / HTTP/1.1\r\nHost: x\r\n") + kClose), "");
}

TEST(HttpServerOpen, listens_within_another_place_as_well_or_alone) {
  asio::io_context io;
  const auto handler = [](const HttpRequest&) { return HttpResponse{.status = 204}; };
  HttpServer::Options options;
  options.listen = Endpoint{IpAddress::v4(0x7f000001), 0};
  options.listens_here = false;
  const auto server = HttpServer::open(io, options, handler);
  ASSERT_TRUE(server);
  EXPECT_EQ((*server)->tcp_port(), 0u);
  unsigned entered = 0;
  const auto within = [&](const std::function<Result<void>()>& open) {
    ++entered;
    return open();
  };
  ASSERT_TRUE((*server)->listen_within(within));
  EXPECT_EQ(entered, 1u);
  asio::io_context client;
  tcp::socket socket(client);
  socket.connect({asio::ip::address_v4::loopback(), (*server)->tcp_port()});
  asio::write(socket, asio::buffer(std::string("GET / HTTP/1.1\r\nHost: x\r\n") + kClose));
  std::string reply;
  boost::system::error_code end;
  std::thread served([&] { io.run_for(std::chrono::seconds(2)); });
  asio::read(socket, asio::dynamic_buffer(reply), end);
  io.stop();
  served.join();
  EXPECT_TRUE(reply.starts_with("HTTP/1.1 204 ")) << reply;
  options.listen.udp_port = (*server)->tcp_port();
  const auto second = HttpServer::open(io, options, handler);
  ASSERT_TRUE(second) << "it listens nowhere yet";
  EXPECT_FALSE((*second)->listen_within(within)) << "the address is in use there";
}

TEST(HttpServerOpen, address_in_use_is_named) {
  asio::io_context io;
  const auto handler = [](const HttpRequest&) { return HttpResponse{}; };
  HttpServer::Options options;
  options.listen = Endpoint{IpAddress::v4(0x7f000001), 0};
  const auto first = HttpServer::open(io, options, handler);
  ASSERT_TRUE(first);
  options.listen.udp_port = (*first)->tcp_port();
  const auto second = HttpServer::open(io, options, handler);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().text,
            "cannot listen on " + options.listen.to_string() + ": Address already in use");
}

TEST(HttpServerOpen, key_that_others_may_read_is_refused) {
  asio::io_context io;
  const std::string key = testing::TempDir() + "http_test_key.pem";
  std::ofstream(key) << "secret\n";
  const auto error = [&] {
    HttpServer::Options options;
    options.listen = Endpoint{IpAddress::v4(0x7f000001), 0};
    options.tls = TlsSpec{key, key};
    const auto opened =
        HttpServer::open(io, options, [](const HttpRequest&) { return HttpResponse{}; });
    return opened ? std::string() : opened.error().text;
  };
  std::filesystem::permissions(key, std::filesystem::perms(0644));
  EXPECT_EQ(error(), key + ": others may read this key; chmod 600 " + key);
  std::filesystem::permissions(key, std::filesystem::perms(0600));
  EXPECT_TRUE(error().starts_with(key + ": ")) << error();
  EXPECT_EQ(error().find("secret"), std::string::npos);
  std::filesystem::remove(key);
  EXPECT_EQ(error(), key + ": No such file or directory");
}

}  // namespace
}  // namespace castgate
