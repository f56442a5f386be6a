// SPDX-License-Identifier: Apache-2.0
// What encoding centre_offset leaves to the digital side: centre * sum(x) for every output. The shift-adds of
// each IMA do it for the rows that it drives.
#pragma once

#include <cstdint>

#include "mapper/place/program.h"

namespace bitline::place {

/// Additions per window: one for each input of the IMA's rows, to sum them once for all columns, and one for
/// each bit of a centre and result, to multiply and add. 0 for the other encodings.
[[nodiscard]] std::int64_t centre_additions(const ImaPart& part, const slice::SlicedLayer& sliced);

}  // namespace bitline::place
