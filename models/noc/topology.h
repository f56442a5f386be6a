// SPDX-License-Identifier: Apache-2.0
// The concentrated mesh: which router serves a tile and the XY way between routers. Tiles lie in rows of
// chip.mesh_width; a router serves a block of w x h tiles, w*h = tiles_per_router, as square as it gets (w >=
// h).
#pragma once

#include <cstddef>
#include <utility>

namespace bitline::noc {

enum class Port : int { east = 0, west, south, north, chip_link, first_tile };

/// Stands for the chip's external link, at the router of tile 0, where a tile is named.
inline constexpr int kChipLink = -1;

class Topology {
 public:
  Topology(int tiles, int mesh_width, int tiles_per_router);

  /// Of the whole rectangle: XY ways may pass routers beyond a last row that is not full.
  [[nodiscard]] int routers() const { return columns_ * rows_; }
  [[nodiscard]] int router_of(int tile) const;
  /// Column and row of a router.
  [[nodiscard]] std::pair<int, int> position(int router) const {
    return {router % columns_, router / columns_};
  }
  /// Output port of its router that leads to `tile`.
  [[nodiscard]] int tile_port(int tile) const;
  [[nodiscard]] int ports() const {
    return static_cast<int>(Port::first_tile) + block_width_ * block_height_;
  }
  /// The port towards `to` (another router): along the row first, then along the column.
  [[nodiscard]] Port towards(int from, int to) const;
  [[nodiscard]] int neighbour(int router, Port port) const;
  /// Routers on the way, both ends included.
  [[nodiscard]] int hops(int from, int to) const;

 private:
  int mesh_width_;
  int block_width_;
  int block_height_;
  int columns_;
  int rows_;
};

}  // namespace bitline::noc
