// SPDX-License-Identifier: Apache-2.0
#include "controlplane/report/utf8.h"

#include <nlohmann/json.hpp>

namespace castgate {

std::string valid_utf8(const std::string& text) {
  using nlohmann::json;
  // The JSON library replaces where it writes; read back, that is the text.
  return json::parse(json(text).dump(-1, ' ', false, json::error_handler_t::replace))
      .get<std::string>();
}

}  // namespace castgate
