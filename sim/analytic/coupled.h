// SPDX-License-Identifier: Apache-2.0
// The pipeline window by window, all stages side by side: for networks whose stages hold each other up from
// behind more than feed_forward.h can follow, and for layers that take turns on the same crossbars.
#pragma once

#include "sim/analytic/pipeline.h"

namespace bitline::analytic {

/// As run_pipeline().
[[nodiscard]] PipelineTimes run_coupled(const place::Program& program, const PipelineModel& model,
                                        const Parts& parts, std::int64_t images);

}  // namespace bitline::analytic
