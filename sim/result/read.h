// SPDX-License-Identifier: Apache-2.0
// A result read back from result.json: what comparisons, tables and figures start from.
#pragma once

#include <string>
#include <string_view>

#include "sim/result/result.h"

namespace bitline::result {

/// The inverse of to_json (json.h): to_json(from_json(text)) == text for a text of this version. Keys that
/// this version does not know are left out. Throws base::UsageError naming `where` with every key that is
/// missing or of another type, or the schema that it has instead of kSchema.
[[nodiscard]] Result from_json(std::string_view text, const std::string& where);

/// The result of a run: a result.json, or the folder that `bitline run --out` wrote one into. Throws
/// base::UsageError.
[[nodiscard]] Result read_result(const std::string& path);

/// The file that read_result() reads: `path`, or result.json below it where it is a folder.
[[nodiscard]] std::string result_file(const std::string& path);

}  // namespace bitline::result
