// SPDX-License-Identifier: Apache-2.0
// Runs a program as a user would and keeps what it says.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <sys/wait.h>

namespace castgate::test {

struct Outcome {
  int exit_code = -1;
  std::string out;
  std::string err;
};

// A directory of the test's own, removed with it.
class Scratch {
 public:
  Scratch() {
    std::string path = std::filesystem::temp_directory_path() / "castgate-test-XXXXXX";
    path_ = ::mkdtemp(path.data());
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() { std::filesystem::remove_all(path_); }

  std::string operator/(const std::string& name) const { return path_ / name; }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ / name, std::ios::binary) << text;
    return path_ / name;
  }
  std::string read(const std::string& name) const {
    std::ostringstream all;
    all << std::ifstream(path_ / name, std::ios::binary).rdbuf();
    return all.str();
  }

 private:
  std::filesystem::path path_;
};

// `command` goes through a shell, which finds the program as $CASTGATE.
inline Outcome run(const std::string& command) {
  const Scratch scratch;
  const std::string line =
      "{ " + command + "; } >" + (scratch / "out") + " 2>" + (scratch / "err") + " </dev/null";
  const int status = std::system(line.c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, scratch.read("out"), scratch.read("err")};
}

}  // namespace castgate::test
