// SPDX-License-Identifier: Apache-2.0
// Random crossbar layers over the whole space of encodings, widths, chunkings, conversions and groups.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "engine_reference.h"
#include "mapper/slice/sliced_layer.h"

namespace bitline::test {

struct EngineCase {
  SlowLayer slow;
  std::shared_ptr<const slice::SlicedLayer> sliced;
  std::vector<std::int32_t> x;
  std::vector<place::DriveSet> drives;
  [[nodiscard]] std::string describe() const;
};

/// The same seed gives the same case; `change` may fix some of what is drawn for the machine.
EngineCase random_case(std::uint32_t seed, const std::function<void(arch::Arch&)>& change = {});

}  // namespace bitline::test
