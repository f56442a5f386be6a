// SPDX-License-Identifier: Apache-2.0
#include "mapper/place/placer.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "mapper/place/deliveries.h"
#include "mapper/place/edram_ledger.h"
#include "mapper/place/layout.h"
#include "mapper/place/pipeline.h"
#include "mapper/place/replicate.h"
#include "mapper/place/unit_ledger.h"

namespace bitline::place {
namespace {

std::size_t index(int id) {
  return static_cast<std::size_t>(id);
}

class Placer {
 public:
  /// `parts`: the layers of the program, whose `replicas` are set, as cut by partition().
  Placer(Program& program, const arch::Arch& arch, const std::vector<LayerInput>& layers,
         const Partitions& parts, DigitalTiles digital)
      : program_(program),
        arch_(arch),
        layers_(layers),
        tiles_(arch.chip.tiles * program.chips),
        edram_(tiles_, arch.tile.edram.capacity_bytes),
        units_(program, arch, parts),
        stay_(digital == DigitalTiles::near),
        parts_(parts) {}

  /// Gives every stage its tiles. Returns false where the eDRAM is too small for the buffers asked for;
  /// `problem()` then says where.
  bool place_all() {
    count_crossbars();
    for (std::size_t s = 0; s < program_.stages.size(); ++s) {
      if (place_stage(static_cast<StageId>(s))) continue;
      failed_layer_ = program_.stages[s].layer;
      return false;
    }
    summarise();
    return true;
  }
  [[nodiscard]] const base::Problem& problem() const { return problem_; }
  /// The layer that found no place, or -1 (a digital stage).
  [[nodiscard]] LayerId failed_layer() const { return failed_layer_; }

 private:
  // --- crossbar layers -------------------------------------------------------------------------------------

  void count_crossbars() {
    std::int64_t imas = 0;
    bool copies = false;
    for (std::size_t l = 0; l < program_.layers.size(); ++l) {
      if (program_.layers[l].shares >= 0) continue;
      const int replicas = program_.layers[l].replicas;
      copies |= replicas > 1;
      program_.crossbars_used += static_cast<std::int64_t>(parts_[l]->pieces.size()) * replicas;
      imas += imas_of_copy(*parts_[l], arch_) * replicas;
    }
    const std::int64_t available = std::int64_t{tiles_} * arch_.tile.imas;
    program_.crossbars_available = available * arch_.ima.crossbars;
    if (imas > available) {
      const std::int64_t tiles = (imas + arch_.tile.imas - 1) / arch_.tile.imas;
      throw base::MappingError(
          {program_.graph->name,
           "the network needs " + std::to_string(program_.crossbars_used) + " crossbars in " +
               std::to_string(imas) + " IMAs",
           std::to_string(program_.crossbars_available) + " crossbars in " + std::to_string(available) +
               " IMAs (" + std::to_string(arch_.chip.tiles) + " tiles)",
           "use at least --set chip.tiles=" + std::to_string(tiles) +
               (copies ? ", or lower mapping.replicas" : ", fewer weight bits or more bits per cell") +
               ", or mapping.oversize=more_chips or reprogram"});
    }
  }

  bool place_stage(StageId s) {
    switch (program_.stages[index(s)].kind) {
      case StageKind::crossbar:
        return place_layer(s);
      case StageKind::digital:
        return place_digital(s);
      case StageKind::input:
        program_.stages[index(s)].tiles = {0};
        return true;
      case StageKind::output:
        return place_output(s);
    }
    return false;
  }

  /// First where the last layer ended; then from a new tile; then with its row bands spread over more tiles,
  /// so that each buffers fewer channels. Tiles whose eDRAM holds buffers of other stages are passed by until
  /// an empty one has been tried.
  bool place_layer(StageId s) {
    const LayerId l = program_.stages[index(s)].layer;
    if (program_.layers[index(l)].shares >= 0) return place_shared(s);
    const Partition& parts = *parts_[index(l)];
    if (try_layer(s, parts.copy, next_ima_)) return true;
    std::optional<base::Problem> first;
    for (int tile = (next_ima_ + arch_.tile.imas - 1) / arch_.tile.imas; tile < tiles_; ++tile) {
      const int first_ima = tile * arch_.tile.imas;
      if (try_layer(s, parts.copy, first_ima)) return true;
      for (int spread = 2; spread <= parts.row_bands; ++spread) {
        if (try_layer(s, copy_layout(parts, *layers_[index(l)].sliced, arch_, spread), first_ima))
          return true;
      }
      if (!first) first = problem_;
      if (edram_.used(tile) == 0) break;
    }
    if (first) problem_ = *first;
    return false;
  }

  /// Where the layer lies whose crossbars it uses.
  bool place_shared(StageId s) {
    const LayerId l = program_.stages[index(s)].layer;
    LayerPlacement& layer = program_.layers[index(l)];
    const LayerPlacement& owner = program_.layers[index(layer.shares)];
    set_deliveries(s, owner.imas);
    if (!take_buffers(s)) return false;
    layer.imas = owner.imas;
    layer.joins = owner.joins;
    layer.cell_utilization = owner.cell_utilization;
    program_.stages[index(s)].tiles = program_.stages[index(owner.stage)].tiles;
    return true;
  }

  bool try_layer(StageId s, const CopyLayout& copy, int first_ima) {
    const LayerId l = program_.stages[index(s)].layer;
    LayerPlacement& layer = program_.layers[index(l)];
    Layout layout = lay_out(copy, arch_, first_ima, layer.replicas);
    if (layout.next_ima > tiles_ * arch_.tile.imas) {
      problem_ = {
          program_.stages[index(s)].name,
          "no tile is left for this layer: earlier layers left IMAs unused because their tiles' eDRAM is "
          "full",
          std::to_string(tiles_) + " tiles of " + std::to_string(edram_.capacity()) + " bytes",
          "raise chip.tiles or tile.edram.capacity"};
      return false;
    }
    set_deliveries(s, layout.imas);
    if (!take_buffers(s)) return false;
    layer.joins = std::move(layout.joins);
    layer.imas = std::move(layout.imas);
    check_registers(layer);
    fill_layer_statistics(layer, *layers_[index(l)].sliced);
    auto& tiles = program_.stages[index(s)].tiles;
    for (const Join& j : layer.joins) tiles.push_back(j.tile);
    std::sort(tiles.begin(), tiles.end());
    tiles.erase(std::unique(tiles.begin(), tiles.end()), tiles.end());
    next_ima_ = layout.next_ima;
    return true;
  }

  void set_deliveries(StageId s, const std::vector<ImaPart>& imas) {
    const LayerId l = program_.stages[index(s)].layer;
    for (EdgeId e : program_.stages[index(s)].inputs) {
      Edge& edge = program_.edges[index(e)];
      edge.deliveries = deliveries(program_, edge, l, *layers_[index(l)].sliced, imas, bits());
    }
  }

  void check_registers(const LayerPlacement& layer) const {
    for (const ImaPart& ima : layer.imas) {
      const std::int64_t result_bytes = packed_bytes(ima.results(), arch_.ima.output_bits);
      check_register(layer.name, "ima.input_register", ima.input_bytes,
                     arch_.ima.input_register.capacity_bytes);
      check_register(layer.name, "ima.output_register", result_bytes,
                     arch_.ima.output_register.capacity_bytes);
    }
  }
  static void check_register(const std::string& layer, const char* name, std::int64_t bytes,
                             std::int64_t capacity) {
    if (bytes <= capacity) return;
    const std::string key = name;
    throw base::MappingError({layer, "one IMA needs " + std::to_string(bytes) + " bytes in its " + key,
                              key + ".capacity = " + std::to_string(capacity) + " B",
                              "raise it, or lower ima.crossbars"});
  }

  void fill_layer_statistics(LayerPlacement& layer, const slice::SlicedLayer& sliced) const {
    layer.crossbars = 0;
    for (const ImaPart& ima : layer.imas) layer.crossbars += static_cast<std::int64_t>(ima.crossbars.size());
    const double cells = static_cast<double>(layer.replicas) * sliced.arrays * sliced.groups *
                         sliced.rows_per_group * sliced.outputs_per_group *
                         static_cast<double>(sliced.slices.size());
    layer.cell_utilization =
        cells / (static_cast<double>(layer.crossbars) * arch_.crossbar.rows * arch_.crossbar.cols);
  }

  // --- digital stages and outputs --------------------------------------------------------------------------

  /// In the parts that are asked for, each with its share of the channels: where its first input is made, or
  /// on the next tiles whose eDRAM has room. Where too few have, in as few parts as find room.
  bool place_digital(StageId s) {
    const Stage& stage = program_.stages[index(s)];
    if (stage.parts > 1 && try_parts(s, stage.parts)) return true;
    std::optional<base::Problem> whole;
    const std::int64_t most = most_parts(program_, stage, arch_);
    for (std::int64_t parts = 1; parts <= most; parts += (parts + 7) / 8) {
      if (try_parts(s, static_cast<int>(parts))) return true;
      if (!whole) whole = problem_;
    }
    if (whole) problem_ = *whole;
    return false;
  }

  bool try_parts(StageId s, int parts) {
    Stage& stage = program_.stages[index(s)];
    std::int64_t bytes = 0;
    for (EdgeId e : stage.inputs) bytes += part_bytes(e, parts, 0) * program_.edges[index(e)].capacity;
    Few<int> tiles = tiles_for(stage, parts, bytes);
    if (static_cast<int>(tiles.size()) < parts) {
      problem_ = buffer_problem(s, bytes);
      return false;
    }
    for (EdgeId e : stage.inputs) {
      auto& deliveries = program_.edges[index(e)].deliveries;
      deliveries.clear();
      for (int i = 0; i < parts; ++i) deliveries.push_back({tiles[index(i)], part_bytes(e, parts, i)});
    }
    take_buffers(s);
    for (const int tile : tiles) units_.take(tile, stage, parts);
    stage.tiles = std::move(tiles);
    return true;
  }

  /// Up to `parts` tiles with room for so many bytes each, from where the stage's first input is made on:
  /// those of its chip whose units have time, then those whose units have the least to do, then other chips'.
  Few<int> tiles_for(const Stage& stage, int parts, std::int64_t bytes) const {
    const int home =
        program_.stages[index(program_.edges[index(stage.inputs.front())].producer)].tiles.front();
    const auto chip = [&](int tile) { return tile / arch_.chip.tiles; };
    Few<int> tiles;
    std::vector<std::tuple<bool, double, int>> busy;  // on another chip, how busy, how far
    for (int step = 0; step < tiles_ && static_cast<int>(tiles.size()) < parts; ++step) {
      const int tile = (home + step) % tiles_;
      if (!edram_.fits(tile, bytes)) continue;
      const bool elsewhere = chip(tile) != chip(home);
      if (!elsewhere && (stay_ || units_.has_time(tile, stage, parts))) {
        tiles.push_back(tile);
      } else {
        busy.emplace_back(elsewhere, stay_ ? 0 : units_.busy(tile, stage), step);
      }
    }
    const auto short_of = std::min(busy.size(), index(parts) - tiles.size());
    std::partial_sort(busy.begin(), busy.begin() + static_cast<std::ptrdiff_t>(short_of), busy.end());
    for (std::size_t i = 0; i < short_of; ++i) tiles.push_back((home + std::get<int>(busy[i])) % tiles_);
    return tiles;
  }

  /// What part `i` of `parts` takes of each pixel of an edge; the first part takes no less than others. A
  /// pixel of fewer bytes than parts goes to all of them.
  std::int64_t part_bytes(EdgeId e, int parts, int i) const {
    const Edge& edge = program_.edges[index(e)];
    const std::int64_t bytes = program_.stages[index(edge.producer)].pixel_bytes;
    if (edge.to_every_part) return bytes;
    return std::max<std::int64_t>(1, bytes / parts + (i < bytes % parts ? 1 : 0));
  }

  /// Outputs leave by the link of the chip that makes them (the first, where several do); the link takes
  /// pixels as they come, so they need no buffer.
  bool place_output(StageId s) {
    for (EdgeId e : program_.stages[index(s)].inputs) {
      Edge& edge = program_.edges[index(e)];
      const Stage& producer = program_.stages[index(edge.producer)];
      const int first = producer.tiles.front() / arch_.chip.tiles * arch_.chip.tiles;
      program_.stages[index(s)].tiles = {first};
      edge.deliveries = {{first, producer.pixel_bytes}};
    }
    return true;
  }

  // --- eDRAM -----------------------------------------------------------------------------------------------

  /// By tile, of the stage's inputs together.
  Few<std::pair<int, std::int64_t>, 8> buffer_bytes(StageId s) const {
    Few<std::pair<int, std::int64_t>, 8> buffers;
    for (EdgeId e : program_.stages[index(s)].inputs) {
      const Edge& edge = program_.edges[index(e)];
      for (const Delivery& d : edge.deliveries) buffers.emplace_back(d.tile, d.pixel_bytes * edge.capacity);
    }
    std::sort(buffers.begin(), buffers.end());
    auto last = buffers.begin();
    for (auto next = buffers.begin(); next != buffers.end(); ++next) {
      if (next == last) continue;
      if (next->first == last->first) {
        last->second += next->second;
      } else {
        *++last = *next;
      }
    }
    if (last != buffers.end()) buffers.erase(last + 1, buffers.end());
    return buffers;
  }

  /// If there is room for all of them.
  bool take_buffers(StageId s) {
    const auto buffers = buffer_bytes(s);
    for (const auto& [tile, bytes] : buffers) {
      if (edram_.fits(tile, bytes)) continue;
      problem_ = buffer_problem(s, bytes);
      return false;
    }
    for (const auto& [tile, bytes] : buffers) edram_.take(tile, bytes);
    return true;
  }
  base::Problem buffer_problem(StageId s, std::int64_t bytes) const {
    return {program_.stages[index(s)].name,
            "its input buffer needs " + std::to_string(bytes) + " bytes of eDRAM in one tile",
            "tile.edram.capacity = " + std::to_string(edram_.capacity()) + " B for all buffers of a tile",
            "raise tile.edram.capacity, or use fewer activation bits"};
  }
  void summarise() {
    std::vector<bool> used(index(tiles_), false);
    for (const LayerPlacement& layer : program_.layers) {
      for (const ImaPart& ima : layer.imas) used[index(ima.tile)] = true;
    }
    for (const Stage& stage : program_.stages) {
      for (const int tile : stage.tiles) used[index(tile)] = true;
    }
    program_.tiles_used = static_cast<int>(std::count(used.begin(), used.end(), true));
  }

  [[nodiscard]] int bits() const { return arch_.precision.activations.bits; }

  Program& program_;
  const arch::Arch& arch_;
  const std::vector<LayerInput>& layers_;
  int tiles_;  ///< of all chips
  EdramLedger edram_;
  UnitLedger units_;
  bool stay_;  ///< digital stages do not look for units that have time
  const Partitions& parts_;
  int next_ima_ = 0;
  LayerId failed_layer_ = -1;
  base::Problem problem_;
};

}  // namespace

std::optional<Misfit> try_place(Program& program, const arch::Arch& arch,
                                const std::vector<LayerInput>& layers, const Partitions& parts,
                                DigitalTiles digital) {
  Placer placer(program, arch, layers, parts, digital);
  if (placer.place_all()) return std::nullopt;
  return Misfit{placer.problem(), placer.failed_layer()};
}

}  // namespace bitline::place
