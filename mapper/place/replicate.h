// SPDX-License-Identifier: Apache-2.0
// How many copies each layer gets. The windows of a layer are dealt round-robin to its copies, so that R of
// them take R windows at a time. Where early layers have more windows they get more copies (ISAAC, section
// 4).
#pragma once

#include <cstdint>
#include <vector>

#include "mapper/place/buffers.h"
#include "mapper/place/partition.h"

namespace bitline::place {

/// What one copy of a layer takes.
struct CopyCost {
  std::int64_t windows = 0;  ///< per image
  std::int64_t reads = 0;    ///< crossbar reads of a window, one after another
  std::int64_t imas = 0;
  /// Copies that are worth making: one per window at most, and no more than the network can feed, where
  /// sending the inputs to the tiles of all copies would take longer than the reads that the copies share.
  int most = 0;
};
[[nodiscard]] std::vector<CopyCost> copy_costs(const Program& program, const Partitions& parts,
                                               const arch::Arch& arch);

/// How many tiles a stage may run in: one, or a channel each.
[[nodiscard]] std::int64_t most_parts(const Program& program, const Stage& stage, const arch::Arch& arch);

/// What no copies make faster: the time that the units of a digital stage (with mapping.digital spread in all
/// the parts that it may run in) or the chip's link take for an image, in reads (of all input chunks) of a
/// crossbar.
[[nodiscard]] double slowest_part(const Program& program, const arch::Arch& arch);

/// What the slowest layer, with the copies that it has, or the slowest such part takes for an image, in
/// seconds.
[[nodiscard]] double pace_of(const Program& program, const Partitions& parts, const arch::Arch& arch);

/// mapping.digital spread: gives every digital stage that may run in parts so many that it is as fast as the
/// slowest layer with the copies that it has.
void choose_parts(Program& program, const std::vector<CopyCost>& costs, const arch::Arch& arch);

/// Every layer gets one copy; then the layer with the most reads left per copy gets another (the earlier at a
/// tie), until no layer that could take one finds the IMAs for it within `imas` altogether. In the end the
/// slowest layer (or `least_reads`, if that is slower) sets the pace, and the others give back what they do
/// not need to keep up with it.
[[nodiscard]] std::vector<int> balanced_copies(const std::vector<CopyCost>& costs, std::int64_t imas,
                                               double least_reads = 0);

/// mapping.replicas for each layer: one number for all, or one per layer; at most one copy per window.
/// Throws base::MappingError where the numbers do not match the layers.
[[nodiscard]] std::vector<int> given_copies(const Program& program, const std::vector<CopyCost>& costs,
                                            const std::vector<int>& numbers);

/// Raises the edges' capacities by the pixels that further copies keep in flight.
void add_room_for_copies(Program& program, const Slack& slack);

}  // namespace bitline::place
