// SPDX-License-Identifier: Apache-2.0
// How digital stages read their windows on an idle chip, and accumulate pixels as these come.
#pragma once

#include <map>
#include <vector>

#include "sim/analytic/sources.h"

namespace bitline::analytic {

class ReadProbe {
 public:
  ReadProbe(const place::Program& program, const arch::Arch& arch, Parts& parts)
      : program_(program), arch_(arch), parts_(parts) {}

  /// Sets the reads of `m` and what accumulates. True where its first work is done pixel by pixel.
  bool probe(StageModel& m);

 private:
  /// The windows of a stage by how much they take; stages whose windows are the same share them.
  struct Kinds {
    struct Kind {
      std::int64_t pixel = 0;  ///< of the first of them
      std::int64_t windows = 0;
    };
    std::vector<Kind> kinds;  ///< in the order of their first windows; few: they differ at the borders
    std::vector<std::size_t> of_pixel;  ///< one entry: the same for all
    /// What `read` was for these times of the kinds.
    std::map<place::Few<Instant, 4>, place::Shared<Instant>> reads;
  };
  using Tables = place::Few<const place::WindowTable*, 4>;

  Kinds& kinds_of(const place::Stage& stage);
  static void find_kinds(const Tables& tables, Kinds& found);
  Instant read(StageModel& m, std::int64_t pixel, std::int64_t windows);
  [[nodiscard]] std::int64_t read_bytes(const place::Stage& stage, std::size_t part,
                                        std::int64_t pixel) const;
  void probe_absorbing(StageModel& m);
  void accumulate(StageModel& m, std::int64_t part, std::int64_t pixels);
  [[nodiscard]] const place::Edge& edge(place::EdgeId e) const {
    return program_.edges[static_cast<std::size_t>(e)];
  }
  [[nodiscard]] bool reduces(place::EdgeId e) const {
    return edge(e).window.kind == place::Window::Kind::reduce;
  }

  const place::Program& program_;
  const arch::Arch& arch_;
  Parts& parts_;
  std::map<Tables, Kinds> known_;
};

}  // namespace bitline::analytic
