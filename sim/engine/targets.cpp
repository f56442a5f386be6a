// SPDX-License-Identifier: Apache-2.0
#include <hwy/highway.h>
#include <hwy/targets.h>

#include <algorithm>

#include "models/base/errors.h"
#include "sim/engine/layer_function.h"
#include "sim/engine/x86_products.h"

namespace bitline::engine {
namespace {

/// The best of Highway's targets with products on AMX tiles.
constexpr const char* kTiles = "AMX";

std::vector<std::int64_t> all_targets() {
  hwy::SetSupportedTargetsForTest(0);
  return hwy::SupportedAndGeneratedTargets();  // lowest bit, so best, first
}

}  // namespace

std::vector<std::string> supported_targets() {
  std::vector<std::string> names;
  if (x86::has_tiles()) names.emplace_back(kTiles);
  for (const std::int64_t target : all_targets()) names.emplace_back(hwy::TargetName(target));
  return names;
}

void force_target(const std::string& name) {
  const std::vector<std::int64_t> targets = all_targets();
  x86::use_tiles(name.empty() || name == kTiles);
  if (name.empty() || (name == kTiles && x86::has_tiles())) return;
  const auto found = std::find_if(targets.begin(), targets.end(),
                                  [&name](std::int64_t target) { return hwy::TargetName(target) == name; });
  BITLINE_CHECK(found != targets.end());
  hwy::SetSupportedTargetsForTest(*found);
}

}  // namespace bitline::engine
