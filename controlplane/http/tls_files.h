// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <memory>

#include "dataplane/base/error.h"
#include "dataplane/contract/doors.h"

namespace castgate {

// TLS 1.2 and 1.3 with this certificate. An error names the file and what is wrong with it, never
// what it holds; a key that group or others may read is refused.
Result<std::shared_ptr<boost::asio::ssl::context>> open_tls(const TlsSpec& tls);

}  // namespace castgate
