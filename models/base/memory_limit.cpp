// SPDX-License-Identifier: Apache-2.0
#include "models/base/memory_limit.h"

#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <thread>

namespace bitline::base {

namespace {

std::atomic<std::int64_t> limit{kDefaultMemory};

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kSanitized = true;  // its shadow is data, too
#elif defined(__has_feature)
constexpr bool kSanitized = __has_feature(address_sanitizer);
#else
constexpr bool kSanitized = false;
#endif

/// The program's own data, and a stack and an allocator's heap per thread.
std::uint64_t program_memory() {
  constexpr std::uint64_t kProgram = std::uint64_t{256} << 20;
  constexpr std::uint64_t kThread = std::uint64_t{16} << 20;
  return kProgram + kThread * std::max(1U, std::thread::hardware_concurrency());
}

void limit_data(std::uint64_t bytes) {
  rlimit data{};
  if (kSanitized || getrlimit(RLIMIT_DATA, &data) != 0) return;
  data.rlim_cur = std::min<rlim_t>(bytes, data.rlim_max);
  static_cast<void>(setrlimit(RLIMIT_DATA, &data));
}

std::uint64_t data_limit() {
  rlimit data{};
  return getrlimit(RLIMIT_DATA, &data) == 0 ? data.rlim_cur : RLIM_INFINITY;
}

}  // namespace

MemoryLimit::MemoryLimit(std::int64_t bytes) : before_(limit.exchange(bytes)), data_before_(data_limit()) {
  limit_data(std::min<std::uint64_t>(data_before_, static_cast<std::uint64_t>(bytes) + program_memory()));
}

MemoryLimit::~MemoryLimit() {
  limit = before_;
  limit_data(data_before_);
}

std::int64_t memory_limit() {
  return limit;
}

std::string print_memory(std::int64_t bytes) {
  constexpr std::array kUnits = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  std::size_t unit = 0;
  int shift = 10;
  while (unit + 1 < kUnits.size() && bytes >> shift >= 1024) {
    ++unit;
    shift += 10;
  }
  const std::uint64_t unit_bytes = std::uint64_t{1} << shift;
  const auto given = static_cast<std::uint64_t>(bytes);
  const std::uint64_t tenths =
      10 * (given / unit_bytes) + (10 * (given % unit_bytes) + unit_bytes - 1) / unit_bytes;
  std::string text = std::to_string(tenths / 10);
  if (tenths % 10 != 0) {
    text += '.';
    text += std::to_string(tenths % 10);
  }
  text += ' ';
  return text += kUnits[unit];
}

Problem too_much_memory(const std::string& where, const std::string& what, std::int64_t bytes) {
  return {where, what + " needs " + (bytes > 0 ? print_memory(bytes) : "more memory than there may be"),
          "at most " + print_memory(memory_limit()) + " (--max-memory)",
          "raise --max-memory, if the file is to be trusted"};
}

}  // namespace bitline::base
