// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "sim/result/result.h"

namespace bitline::result {

/// The result as JSON, "bitline.result/1", valid under result.schema.json: keys in a fixed order, doubles
/// with round-trip precision, a final newline. A figure that is not finite is a bug (std::logic_error), never
/// output.
[[nodiscard]] std::string to_json(const Result& result);

}  // namespace bitline::result
