// SPDX-License-Identifier: Apache-2.0
// The pipeline stage by stage: each runs its whole stream of windows as if there were always places for its
// results. Where its consumers have no place that early, it runs again with the times at which they have, and
// so do those behind it, until nothing changes: the least solution of the same equations that coupled.h
// follows window by window.
#pragma once

#include <optional>

#include "sim/analytic/pipeline.h"

namespace bitline::analytic {

/// As run_pipeline(); none where layers take turns on the same crossbars, or where it does not settle soon.
[[nodiscard]] std::optional<PipelineTimes> run_feed_forward(const place::Program& program,
                                                            const PipelineModel& model, const Parts& parts,
                                                            std::int64_t images);

}  // namespace bitline::analytic
