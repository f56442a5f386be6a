// SPDX-License-Identifier: Apache-2.0
#include "tools/report/assets.h"

#include <algorithm>

#include "models/base/errors.h"

namespace bitline::report {

std::string_view asset(std::string_view name) {
  std::size_t count = 0;
  const Embedded* const all = embedded(count);
  const Embedded* const found =
      std::find_if(all, all + count, [&](const Embedded& file) { return name == file.name; });
  BITLINE_CHECK(found != all + count);
  return {found->begin, found->end};
}

}  // namespace bitline::report
