// SPDX-License-Identifier: Apache-2.0
#include "models/base/memory_limit.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <new>
#include <vector>

namespace bitline::base {
namespace {

TEST(PrintMemory, RoundsUpToTenths) {
  EXPECT_EQ(print_memory(1024), "1 KiB");
  EXPECT_EQ(print_memory(1025), "1.1 KiB");
  EXPECT_EQ(print_memory(3 << 19), "1.5 MiB");
  EXPECT_EQ(print_memory((std::int64_t{8} << 30) + 1), "8.1 GiB");
  EXPECT_EQ(print_memory(std::int64_t{1} << 40), "1 TiB");
  EXPECT_EQ(print_memory(INT64_MAX), "8 EiB");
}

TEST(MemoryLimitTest, HoldsForItsLifetime) {
  EXPECT_EQ(memory_limit(), kDefaultMemory);
  rlimit before{};
  getrlimit(RLIMIT_DATA, &before);
  {
    const MemoryLimit limit(kLeastMemory);
    EXPECT_EQ(memory_limit(), kLeastMemory);
  }
  EXPECT_EQ(memory_limit(), kDefaultMemory);
  rlimit after{};
  getrlimit(RLIMIT_DATA, &after);
  EXPECT_EQ(before.rlim_cur, after.rlim_cur);
}

TEST(MemoryLimitTest, WhatSlipsThroughMeetsTheSystemsLimit) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "its shadow is data, too";
#endif
  const std::size_t terabyte = std::size_t{1} << 40;
  const MemoryLimit limit(kLeastMemory);
  EXPECT_THROW(static_cast<void>(std::vector<char>(terabyte)), std::bad_alloc);
}

TEST(TooMuchMemory, SaysHowMuchAndWhatToDo) {
  const MemoryLimit limit(std::int64_t{3} << 29);
  EXPECT_EQ(
      too_much_memory("a.onnx", "reading it", std::int64_t{5} << 29).str(),
      "a.onnx: reading it needs 2.5 GiB; allowed: at most 1.5 GiB (--max-memory); raise --max-memory, if the "
      "file is to be trusted");
  EXPECT_EQ(too_much_memory("a.onnx", "mapping it", 0).given,
            "mapping it needs more memory than there may be");
}

}  // namespace
}  // namespace bitline::base
