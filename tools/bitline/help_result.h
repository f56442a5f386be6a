// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace bitline::cli {

/// sim/result/result.schema.json, embedded.
[[nodiscard]] const char* result_schema();

/// A key of result.json: "layers[].slices[].adc_bits".
struct ResultKey {
  std::string path;
  std::string type;         ///< "number", "list", "integer or null"
  std::string description;  ///< of the schema; may be empty
};
/// Every key, in the schema's order.
[[nodiscard]] std::vector<ResultKey> result_keys();

}  // namespace bitline::cli
