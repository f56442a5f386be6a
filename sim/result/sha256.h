// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace bitline::result {

/// SHA-256 (FIPS 180-4) of the bytes, as 64 lower-case hexadecimal digits.
[[nodiscard]] std::string sha256(std::string_view bytes);
/// The same of a file, read in pieces. Throws base::UsageError if it cannot be read.
[[nodiscard]] std::string sha256_of_file(const std::string& path);

}  // namespace bitline::result
