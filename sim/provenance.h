// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sim/mapping.h"
#include "sim/result/result.h"

namespace bitline::sim {

/// Files, overrides and resolved constants of a request, with their hashes; a network without a file is the
/// caller's.
void add_files(const MappingRequest& files, const arch::LoadedArch& machine, result::Provenance& provenance);
/// The resolved constants alone.
void add_constants(const arch::LoadedArch& machine, result::Provenance& provenance);

}  // namespace bitline::sim
