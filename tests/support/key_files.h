// SPDX-License-Identifier: Apache-2.0
// A directory of key files that lasts for a test.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/hex.h"

namespace castgate::test {

inline const std::string kHex = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d";

// A key of 30 bytes of which the first one is `first`.
inline std::string hex_of(unsigned first) {
  return to_hex(std::vector{static_cast<std::byte>(first)}) + kHex.substr(2);
}

class KeyFilesTest : public testing::Test {
 protected:
  KeyFilesTest()
      : place_(std::filesystem::temp_directory_path() / ("cgkeys" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(place_);
  }
  void TearDown() override { std::filesystem::remove_all(place_); }

  std::string file(const std::string& name, const std::string& text, unsigned mode = 0600) const {
    const std::string path = (place_ / name).string();
    std::ofstream(path) << text;
    ::chmod(path.c_str(), mode);
    return path;
  }

  std::filesystem::path place_;
};

}  // namespace castgate::test
