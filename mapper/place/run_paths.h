// SPDX-License-Identifier: Apache-2.0
// The stages of a program that can hold each other up, and the ways of pixels between them.
//
// Stages with one input and one output, one after another, never block by themselves: a full buffer holds
// what its consumer needs next. How far they have come follows from the ends of their path, which alone are
// listed here; and of their buffers only the last one, in front of an end, may have to grow.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include "mapper/place/program.h"
#include "mapper/place/window_table.h"

namespace bitline::place {

/// Windows or pixels of an image.
using Pixels = std::int32_t;

/// An edge.
struct Link {
  EdgeId edge;
  Pixels capacity;
  Pixels pixels;  ///< of its producer
  bool reduces;   ///< pixels leave at once
  const WindowTable* table;
  /// Pixels that find a place when the consumer has made so many windows.
  [[nodiscard]] Pixels room(Pixels windows) const {
    return reduces ? pixels : std::min(pixels, capacity + table->gone[static_cast<std::size_t>(windows)]);
  }
};

/// What the stages within a path make of what its ends do.
struct Within {
  std::vector<Pixels> arriving;  ///< by pixels that the first has made: those of the last but one
  std::vector<Pixels> ready;     ///< the same: windows of the last for which there are inputs
  std::vector<Pixels> room;      ///< by pixels of the last but one that find a place: those of the first
  std::vector<Pixels> needed;    ///< by window of the last: pixels that the first must have made
};

/// RunPaths::links[first] to [last], one after another, between two ends.
struct Path {
  int from, to;
  int first, last;
  const Within* within;  ///< null: one link alone
};

/// A stage at the end of paths.
struct PathEnd {
  StageId stage = 0;
  int first_out = 0, last_out = 0;  ///< in RunPaths::paths
  int earlier_user = -1;            ///< must be done with an image before this one may use their crossbars
};

struct RunPaths {
  /// `tables`: by edge; they must outlive this.
  RunPaths(const Program& program, const std::vector<std::shared_ptr<const WindowTable>>& tables);

  std::vector<PathEnd> ends;
  std::vector<Path> paths;  ///< by `from`
  std::vector<Link> links;

  [[nodiscard]] const WindowTable& table(int link) const {
    return *links[static_cast<std::size_t>(link)].table;
  }
  /// By pixels that its first stage has made: windows of its last for which there are inputs.
  [[nodiscard]] const std::vector<Pixels>& ready(const Path& path) const {
    return path.within != nullptr ? path.within->ready : table(path.last).ready;
  }
  /// By window of its last stage: pixels that the first must have made.
  [[nodiscard]] const std::vector<Pixels>& needed(const Path& path) const {
    return path.within != nullptr ? path.within->needed : table(path.last).needed;
  }
  /// Windows that the last must have made for a place of `pixel` of the first.
  [[nodiscard]] Pixels windows_for_place(const Path& path, Pixels pixel) const;

 private:
  void find_ends(const Program& program);
  void add_path(const Program& program, int from, EdgeId e,
                const std::vector<std::shared_ptr<const WindowTable>>& tables);
  /// Of the links from `first` to the last so far.
  [[nodiscard]] std::shared_ptr<const Within> stages_within(
      int first, const std::vector<std::shared_ptr<const WindowTable>>& tables) const;

  std::vector<int> end_of_stage_;                      ///< -1: within a path
  std::vector<std::shared_ptr<const Within>> within_;  ///< of `paths`
};

}  // namespace bitline::place
