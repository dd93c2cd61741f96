// SPDX-License-Identifier: Apache-2.0
#include "dataplane/base/protect/secret_memory.h"

#include <array>
#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>

#include "dataplane/base/protect/ciphers.h"

namespace castgate {
namespace {

using Bytes = std::array<unsigned char, 1000>;

// The flags that the kernel has of the mapping with `at` in it.
std::string flags_of(const void* at) {
  const auto address = reinterpret_cast<std::uintptr_t>(at);
  std::ifstream smaps("/proc/self/smaps");
  bool inside = false;
  for (std::string line; std::getline(smaps, line);) {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    char dash = 0;
    std::istringstream words(line);
    if (words >> std::hex >> begin >> dash >> end && dash == '-')
      inside = begin <= address && address < end;
    if (inside && line.starts_with("VmFlags:")) return line + " ";
  }
  return "";
}

TEST(SecretMemoryTest, is_locked_in_no_core_dump_and_in_no_child) {
  const auto secret = make_secret<Bytes>();
  secret->fill(0x5a);
  const std::string flags = flags_of(secret->data());
  EXPECT_NE(flags.find(" dd "), std::string::npos) << flags;  // do not dump
  EXPECT_NE(flags.find(" wf "), std::string::npos) << flags;  // wiped on fork
  EXPECT_EQ(flags.find(" lo ") != std::string::npos, SecretMemory::is_locked()) << flags;
  const pid_t child = fork();
  if (child == 0) {
    bool wiped = true;
    for (const unsigned char byte : *secret) wiped = wiped && byte == 0;
    _exit(wiped ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

struct alignas(4096) Block {
  std::array<unsigned char, std::size_t{17} * 4096> bytes;
};

TEST(SecretMemoryTest, many_blocks_follow_each_other_and_come_again) {
  std::vector<Secret<Block>> blocks;
  for (unsigned n = 0; n < 100; ++n) {
    blocks.push_back(make_secret<Block>());
    blocks.back()->bytes.fill(static_cast<unsigned char>(n + 1));
  }
  unsigned follow = 0;
  for (unsigned n = 0; n < 100; ++n) {
    EXPECT_EQ(blocks[n]->bytes.back(), n + 1) << "two have the same memory";
    if (n != 0) follow += blocks[n].get() == blocks[n - 1].get() + 1;
  }
  EXPECT_GE(follow, 90u);
  EXPECT_NE(flags_of(blocks[50].get()).find(" dd "), std::string::npos);
  const Block* last = blocks.back().get();
  blocks.pop_back();
  EXPECT_EQ(make_secret<Block>().get(), last);
  EXPECT_EQ(make_secret<Block>()->bytes[0], 0);
}

TEST(SecretMemoryTest, is_wiped_when_it_is_given_back) {
  auto keeper = make_secret<Bytes>();  // so that the pages stay
  auto secret = make_secret<Bytes>();
  secret->fill(0x5a);
  const volatile unsigned char* at = secret->data();
  secret.reset();
  // Beyond the pool's own link in a free block.
  for (std::size_t i = 64; i < sizeof(Bytes); ++i) ASSERT_EQ(at[i], 0) << i;
}

TEST(SecretMemoryTest, gives_zeroes_and_the_alignment_asked_for) {
  struct alignas(64) Aligned {
    Bytes bytes;
  };
  for (int i = 0; i < 100; ++i) {
    const auto secret = make_secret<Aligned>();
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(secret.get()) % 64, 0u);
    for (const unsigned char byte : secret->bytes) ASSERT_EQ(byte, 0);
    secret->bytes.fill(0xff);
  }
  EXPECT_EQ(alignof(GcmKey), 64u);
}

}  // namespace
}  // namespace castgate
