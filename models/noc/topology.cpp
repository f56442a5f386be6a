// SPDX-License-Identifier: Apache-2.0
#include "models/noc/topology.h"

#include <algorithm>
#include <cstdlib>

#include "models/base/errors.h"

namespace bitline::noc {

namespace {

int ceil_div(int a, int b) {
  return (a + b - 1) / b;
}

}  // namespace

Topology::Topology(int tiles, int mesh_width, int tiles_per_router) : mesh_width_(mesh_width) {
  BITLINE_CHECK(tiles > 0 && mesh_width > 0 && tiles_per_router > 0);
  block_height_ = 1;
  for (int h = 1; h * h <= tiles_per_router; ++h) {
    if (tiles_per_router % h == 0) block_height_ = h;
  }
  block_width_ = tiles_per_router / block_height_;
  columns_ = ceil_div(std::min(mesh_width, tiles), block_width_);
  rows_ = ceil_div(ceil_div(tiles, mesh_width), block_height_);
}

int Topology::router_of(int tile) const {
  return tile / mesh_width_ / block_height_ * columns_ + tile % mesh_width_ / block_width_;
}

int Topology::tile_port(int tile) const {
  const int row = tile / mesh_width_ % block_height_;
  const int column = tile % mesh_width_ % block_width_;
  return static_cast<int>(Port::first_tile) + row * block_width_ + column;
}

Port Topology::towards(int from, int to) const {
  BITLINE_CHECK(from != to);
  const int from_x = from % columns_;
  const int to_x = to % columns_;
  if (from_x != to_x) return from_x < to_x ? Port::east : Port::west;
  return from < to ? Port::south : Port::north;
}

int Topology::neighbour(int router, Port port) const {
  switch (port) {
    case Port::east:
      return router + 1;
    case Port::west:
      return router - 1;
    case Port::south:
      return router + columns_;
    case Port::north:
      return router - columns_;
    default:
      break;
  }
  BITLINE_CHECK(false);
  return -1;
}

int Topology::hops(int from, int to) const {
  return std::abs(from % columns_ - to % columns_) + std::abs(from / columns_ - to / columns_) + 1;
}

}  // namespace bitline::noc
