// SPDX-License-Identifier: Apache-2.0
// Which input pixels each output pixel of an operator that moves or interpolates elements takes: crops,
// strided slices, pads, channel shuffles, depth to space, resizing.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "mapper/graph/digital_attributes.h"
#include "mapper/place/program.h"

namespace bitline::place {

/// A value as a stream: h x w pixels of `channels` elements.
struct Geometry {
  std::int64_t h = 1, w = 1, channels = 1;
  bool image = false;  ///< elements lie channel by channel (NCHW), else pixel by pixel
  [[nodiscard]] std::int64_t pixels() const { return h * w; }
  /// The pixel of element i of the tensor.
  [[nodiscard]] std::int64_t pixel_of(std::int64_t i) const { return image ? i % pixels() : i / channels; }
  friend bool operator==(const Geometry& a, const Geometry& b) {
    return a.h == b.h && a.w == b.w && a.channels == b.channels;
  }
};

/// The pixels of `in` that each pixel of `out` takes; of equal moves of whole channels the same one. Time:
/// the elements of `out`, or of a channel of it where whole ones are moved. For any thread.
[[nodiscard]] std::shared_ptr<const Gather> gather_of(const graph::RearrangeAttributes& moved,
                                                      const Geometry& in, const Geometry& out);
/// Whether every pixel of `out` is made of the pixel of `in` at that place alone. Time: the elements of
/// `out`, or up to the first that is not.
[[nodiscard]] bool moves_within_pixels(const graph::RearrangeAttributes& moved, const Geometry& in,
                                       const Geometry& out);
/// The pixels of an interpolation of images along their rows or columns (axis 2 or 3).
[[nodiscard]] std::shared_ptr<const Gather> gather_of(const graph::ResampleAttributes& resampled,
                                                      const Geometry& in, const Geometry& out);

/// The same of an operand of a concatenation along pixels: `in` follows on `first` pixels of other operands.
[[nodiscard]] std::shared_ptr<const Gather> gather_of_part(std::int64_t first, const Geometry& in,
                                                           const Geometry& out);

}  // namespace bitline::place
