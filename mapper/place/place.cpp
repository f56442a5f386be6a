// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "mapper/place/fit.h"
#include "mapper/place/limited.h"
#include "mapper/place/phases.h"
#include "mapper/place/pipeline.h"
#include "mapper/place/share_crossbars.h"
#include "models/base/errors.h"

namespace bitline::place {
namespace {

constexpr std::int64_t kMostTiles = 1 << 22;

Program on_one_chip(Program stream, const arch::Arch& arch, const Layers& layers) {
  base::Problem problem;
  if (!fit(stream, 1, arch, layers, problem)) throw base::MappingError(problem);
  return stream;
}

/// On the fewest chips whose IMAs and eDRAMs are enough.
Program on_more_chips(Program stream, const arch::Arch& arch, const Layers& layers) {
  const std::int64_t imas_per_chip = std::int64_t{arch.chip.tiles} * arch.tile.imas;
  const std::int64_t fewest =
      std::max<std::int64_t>(1, (least_imas(stream, arch, layers) + imas_per_chip - 1) / imas_per_chip);
  // Where buffers leave IMAs unused it takes more; where one finds no tile of its own, no number is enough.
  const std::int64_t most = 2 * fewest + 2;
  base::Problem problem{
      stream.graph->name,
      "would take " + std::to_string(fewest) + " chips of " + std::to_string(arch.chip.tiles) + " tiles",
      "at most " + std::to_string(kMostTiles) + " tiles together", "use larger IMAs or tiles"};
  for (std::int64_t chips = fewest; chips <= most && chips * arch.chip.tiles <= kMostTiles; ++chips) {
    if (fit(stream, static_cast<int>(chips), arch, layers, problem)) return stream;
  }
  throw base::MappingError(problem);
}

}  // namespace

int ImaPart::results() const {
  int sum = 0;
  for (const Contribution& c : contributions) sum += c.results;
  return sum;
}

Program place(std::shared_ptr<const graph::Graph> graph, const arch::Arch& arch,
              const std::vector<LayerInput>& layers) {
  return place_limited(std::move(graph), arch, layers, kAnyCopies);
}

Program place_limited(std::shared_ptr<const graph::Graph> graph, const arch::Arch& arch,
                      const std::vector<LayerInput>& layers, int most_copies) {
  Program stream;
  stream.graph = std::move(graph);
  build_pipeline(stream, arch.precision.activations.bits);
  BITLINE_CHECK(stream.layers.size() == layers.size());
  share_crossbars(stream, layers);
  Layers cut{layers, {}, most_copies};
  for (std::size_t l = 0; l < layers.size(); ++l) {
    cut.parts.push_back(layers[l].parts ? layers[l].parts
                                        : std::make_shared<const Partition>(
                                              partition(stream.layers[l].name, *layers[l].sliced, arch)));
  }
  switch (arch.mapping.oversize) {
    case arch::Oversize::more_chips:
      return on_more_chips(std::move(stream), arch, cut);
    case arch::Oversize::reprogram:
      return in_phases(std::move(stream), arch, cut);
    case arch::Oversize::error:
      break;
  }
  return on_one_chip(std::move(stream), arch, cut);
}

}  // namespace bitline::place
