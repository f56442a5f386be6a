// SPDX-License-Identifier: Apache-2.0
#include "mapper/place/traffic.h"

#include "mapper/place/chips.h"
#include "mapper/place/share.h"

namespace bitline::place {
namespace {

std::size_t index(int id) {
  return static_cast<std::size_t>(id);
}

/// A tile that makes a share of every `step`th pixel of a stage.
struct Origin {
  int tile = 0;
  std::int64_t pixels = 0;
  std::int64_t before = 0, weight = 1, sum = 1;
};

class FlowList {
 public:
  FlowList(const Program& program, const arch::Arch& arch) : program_(program), arch_(arch) {
    for (const LayerPlacement& layer : program_.layers) add_partial_sums(layer);
    for (const Edge& edge : program_.edges) add_pixels(edge);
  }
  [[nodiscard]] const std::vector<Flow>& flows() const { return flows_; }
  [[nodiscard]] std::int64_t between_chips() const { return between_chips_; }

 private:
  /// Of the first image, by one copy.
  static std::int64_t windows_of(const LayerPlacement& layer, int replica) {
    return (layer.windows - replica + layer.replicas - 1) / layer.replicas;
  }

  void add(int from, int to, std::int64_t packets, std::int64_t bytes) {
    if (from == to || packets == 0 || bytes == 0) return;
    const int a = chip_of(from, arch_), b = chip_of(to, arch_);
    if (a == b) {
      flows_.push_back({from, to, packets, bytes});
      return;
    }
    between_chips_ += packets * bytes;
    if (!is_link(from)) flows_.push_back({from, link_of(a), packets, bytes});
    if (!is_link(to)) flows_.push_back({link_of(b), to, packets, bytes});
  }

  void add_partial_sums(const LayerPlacement& layer) {
    for (const ImaPart& ima : layer.imas) {
      for (const Contribution& part : ima.contributions) {
        const std::int64_t bytes = (std::int64_t{part.results} * arch_.ima.output_bits + 7) / 8;
        add(ima.tile, layer.joins[index(part.join)].tile, windows_of(layer, ima.replica), bytes);
      }
    }
  }

  void add_pixels(const Edge& edge) {
    const Stage& consumer = program_.stages[index(edge.consumer)];
    const bool leaves = consumer.kind == StageKind::output;
    for (const Origin& origin : origins(program_.stages[index(edge.producer)])) {
      for (const Delivery& delivery : edge.deliveries) {
        const std::int64_t bytes = share_of(delivery.pixel_bytes, origin.before, origin.weight, origin.sum);
        add(origin.tile, leaves ? link_of(chip_of(delivery.tile, arch_)) : delivery.tile, origin.pixels,
            bytes);
      }
    }
  }

  std::vector<Origin> origins(const Stage& stage) const {
    if (stage.kind == StageKind::input) return {{link_of(chip_of(stage.tiles.front(), arch_)), stage.pixels}};
    std::vector<Origin> origins;
    if (stage.layer < 0) {
      const auto parts = static_cast<std::int64_t>(stage.tiles.size());
      for (std::int64_t i = 0; i < parts; ++i)
        origins.push_back({stage.tiles[static_cast<std::size_t>(i)], stage.pixels, i, 1, parts});
      return origins;
    }
    const LayerPlacement& layer = program_.layers[index(stage.layer)];
    std::vector<std::int64_t> sums(static_cast<std::size_t>(layer.replicas), 0);
    for (const Join& join : layer.joins) {
      std::int64_t& before = sums[index(join.replica)];
      origins.push_back({join.tile, windows_of(layer, join.replica), before, join.outputs, 0});
      before += join.outputs;
    }
    for (std::size_t j = 0; j < origins.size(); ++j) origins[j].sum = sums[index(layer.joins[j].replica)];
    return origins;
  }

  const Program& program_;
  const arch::Arch& arch_;
  std::vector<Flow> flows_;
  std::int64_t between_chips_ = 0;
};

}  // namespace

std::vector<Flow> flows(const Program& program, const arch::Arch& arch) {
  return FlowList(program, arch).flows();
}

NocTraffic noc_traffic(const Program& program, const arch::Arch& arch) {
  const noc::Topology topology(arch.chip.tiles, arch.chip.mesh_width, arch.noc.tiles_per_router);
  const auto router = [&](int end) { return topology.router_of(tile_in_chip(end, arch)); };
  const FlowList list(program, arch);
  NocTraffic traffic;
  traffic.between_chips = list.between_chips();
  for (const Flow& flow : list.flows()) {
    const std::int64_t bytes = flow.packets * flow.bytes;
    traffic.bytes += bytes;
    traffic.hop_bytes += bytes * (topology.hops(router(flow.from), router(flow.to)) - 1);
  }
  return traffic;
}

}  // namespace bitline::place
