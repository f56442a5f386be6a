// SPDX-License-Identifier: Apache-2.0
#include "models/tile/tile_params.h"

#include "models/base/schema.h"

namespace bitline::tile {

base::Schema schema(TileParams& params) {
  base::Schema s;
  s.integer("imas", params.imas, 1, 4096, "IMAs of a tile");
  s.integer("write_rows", params.write_rows, 1, 1 << 20,
            "rows of a tile's crossbars that are programmed together (mapping.oversize reprogram only)");
  s.add("edram", schema(params.edram));
  s.add("bus", schema(params.bus));
  s.add("shift_add", schema(params.shift_add));
  s.add("output_register", pass_through_schema(params.output_register));
  s.add("activation", schema(params.activation));
  s.add("pooling", schema(params.pooling));
  s.add("elementwise", schema(params.elementwise));
  s.add("requantise", schema(params.requantise));
  return s;
}

}  // namespace bitline::tile
