// SPDX-License-Identifier: Apache-2.0
// What each tile's eDRAM holds: the input buffers of the stages placed there.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "mapper/place/program.h"

namespace bitline::place {

class EdramLedger {
 public:
  EdramLedger(int tiles, std::int64_t capacity_bytes)
      : capacity_(capacity_bytes), used_(static_cast<std::size_t>(tiles), 0) {}

  [[nodiscard]] std::int64_t capacity() const { return capacity_; }
  [[nodiscard]] bool fits(int tile, std::int64_t bytes) const { return used(tile) + bytes <= capacity_; }
  [[nodiscard]] std::int64_t used(int tile) const { return used_[static_cast<std::size_t>(tile)]; }
  void take(int tile, std::int64_t bytes) { used_[static_cast<std::size_t>(tile)] += bytes; }

 private:
  std::int64_t capacity_;
  std::vector<std::int64_t> used_;
};

}  // namespace bitline::place
