// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace bitline::base {

/// Writes `bytes` to `path` so that a reader sees the old file or the whole new one, never a part: a
/// temporary file beside it is renamed (a device such as /dev/null is written to directly). Throws UsageError
/// naming the path and the system's reason if it cannot be written; nothing is left behind then.
void write_file_atomically(const std::string& path, std::string_view bytes);

/// The whole file. Throws UsageError if it is missing, not a regular file, unreadable or larger than `limit`.
[[nodiscard]] std::string read_file(const std::string& path, std::int64_t limit);

}  // namespace bitline::base
