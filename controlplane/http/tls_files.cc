// SPDX-License-Identifier: Apache-2.0
#include "controlplane/http/tls_files.h"

#include <fmt/format.h>
#include <openssl/ssl.h>
#include <sys/stat.h>

namespace castgate {
namespace {

namespace ssl = boost::asio::ssl;

Result<void> judge_key_file(const std::string& path) {
  struct stat found{};
  if (::stat(path.c_str(), &found) != 0) return fail(fmt::format("{}: {}", path, errno_text()));
  if (!S_ISREG(found.st_mode)) return fail(fmt::format("{}: is no file", path));
  if ((found.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return fail(fmt::format("{}: others may read this key; chmod 600 {}", path, path));
  }
  return {};
}

}  // namespace

Result<std::shared_ptr<ssl::context>> open_tls(const TlsSpec& tls) {
  if (auto good = judge_key_file(tls.key); !good) return std::unexpected(good.error());
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  boost::system::error_code error;
  const auto check = [&](const std::string& path) -> Result<void> {
    if (!error) return {};
    return fail(fmt::format("{}: {}", path, error.message()));
  };
  static_cast<void>(context->set_options(
      ssl::context::no_tlsv1 | ssl::context::no_tlsv1_1 | ssl::context::single_dh_use, error));
  static_cast<void>(context->use_certificate_chain_file(tls.cert, error));
  if (auto good = check(tls.cert); !good) return std::unexpected(good.error());
  static_cast<void>(context->use_private_key_file(tls.key, ssl::context::pem, error));
  if (auto good = check(tls.key); !good) return std::unexpected(good.error());
  if (SSL_CTX_check_private_key(context->native_handle()) != 1) {
    return fail(fmt::format("{} is not the key of {}", tls.key, tls.cert));
  }
  return context;
}

}  // namespace castgate
