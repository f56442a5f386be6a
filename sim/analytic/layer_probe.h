// SPDX-License-Identifier: Apache-2.0
// One window of a crossbar layer on an idle chip, from its opening to its results' being joined.
#pragma once

#include <map>
#include <tuple>
#include <vector>

#include "sim/analytic/sources.h"

namespace bitline::analytic {

class LayerProbe {
 public:
  LayerProbe(const place::Program& program, const arch::Arch& arch,
             const std::vector<cycle::LayerSource>& layers, Parts& parts)
      : program_(program), arch_(arch), layers_(layers), parts_(parts) {}

  /// Its layer and its copies, of which nothing is known yet.
  void start(StageModel& m);
  /// Fill, drain and additions of copy `q`, and what is the longest of all copies; adds where its pixels are
  /// made to `sources`.
  void probe_copy(StageModel& m, int q, Sources& sources);

 private:
  /// What an IMA does for a window, wherever it lies.
  struct ImaWork {
    ImaPace pace;
    std::int64_t register_bytes = 0;  ///< read
  };
  /// Crossbars (copies of a layer share them), slices, bits of activations and their sign.
  using ImaKey = std::tuple<const place::CrossbarPart*, const slice::SlicedLayer*, int, bool>;

  const ImaWork& work_of(const place::ImaPart& part, const cycle::LayerSource& source);
  void fill(StageModel& m, const std::vector<std::size_t>& imas, Replica& replica);
  void drain(const place::LayerPlacement& layer, const std::vector<std::size_t>& imas, Replica& replica);
  void join(const place::LayerPlacement& layer, int q, Replica& replica, Sources& sources);
  Instant add(const place::Join& join, Instant ready, Replica& replica);

  const place::Program& program_;
  const arch::Arch& arch_;
  const std::vector<cycle::LayerSource>& layers_;
  Parts& parts_;
  std::map<ImaKey, ImaWork> known_;
  std::vector<Instant> joined_;
  std::vector<std::vector<std::size_t>> imas_;  ///< [replica] of the layer that is probed: in its `imas`
};

}  // namespace bitline::analytic
