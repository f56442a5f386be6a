// SPDX-License-Identifier: Apache-2.0
// The memory that this process may use for a user's files. What a file claims is compared with it before
// anything of that size is allocated; what slips through meets the same limit as std::bad_alloc.
#pragma once

#include <cstdint>
#include <string>

#include "models/base/errors.h"

namespace bitline::base {

inline constexpr std::int64_t kDefaultMemory = std::int64_t{8} << 30;
/// Below this not even the program itself runs.
inline constexpr std::int64_t kLeastMemory = std::int64_t{64} << 20;

/// Sets the limit for as long as it lives; one at a time. Its backstop is RLIMIT_DATA (but not under
/// AddressSanitizer), with room for the program and its threads' stacks.
class MemoryLimit {
 public:
  explicit MemoryLimit(std::int64_t bytes);
  MemoryLimit(const MemoryLimit&) = delete;
  MemoryLimit& operator=(const MemoryLimit&) = delete;
  ~MemoryLimit();

 private:
  std::int64_t before_;
  std::uint64_t data_before_;
};

/// In bytes; kDefaultMemory where none is set.
[[nodiscard]] std::int64_t memory_limit();
/// "1.5 GiB", rounded up to a tenth.
[[nodiscard]] std::string print_memory(std::int64_t bytes);
/// What is reported of something that needs `bytes` (0: unknown, but too many).
[[nodiscard]] Problem too_much_memory(const std::string& where, const std::string& what, std::int64_t bytes);

}  // namespace bitline::base
