// SPDX-License-Identifier: Apache-2.0
#include "sim/result/result.h"

namespace bitline::result {

const char* version() {
  return BITLINE_VERSION;
}

}  // namespace bitline::result
