// SPDX-License-Identifier: Apache-2.0
#include "mapper/place/share_crossbars.h"

#include <algorithm>
#include <map>

namespace bitline::place {
namespace {

std::size_t index(int id) {
  return static_cast<std::size_t>(id);
}

}  // namespace

void share_crossbars(Program& program, const std::vector<LayerInput>& layers) {
  for (LayerPlacement& layer : program.layers) layer.shares = layer.after = -1;
  if (std::all_of(layers.begin(), layers.end(), [](const LayerInput& layer) { return layer.shares < 0; }))
    return;
  std::map<LayerId, std::vector<LayerId>> users;
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const LayerId owner = layers[l].shares < 0 ? static_cast<LayerId>(l) : layers[l].shares;
    program.layers[l].shares = layers[l].shares;
    users[owner].push_back(static_cast<LayerId>(l));
  }
  for (const auto& [owner, list] : users) {
    for (std::size_t i = 0; i < list.size() && list.size() > 1; ++i)
      program.layers[index(list[i])].after = i == 0 ? list.back() : list[i - 1];
  }
}

}  // namespace bitline::place
