// SPDX-License-Identifier: Apache-2.0
// Small machines and networks for the timing of whole chips.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "sim/cycle/runner.h"
#include "tests/timing/child_process.h"

namespace bitline::timing_test {

/// A machine whose figures are round: digital clocks of 1 ns, IMA clock of 10 ns, 10 ns reads, 1-bit DACs,
/// 1 ns conversions, crossbars of 16 x 16, two per IMA, two IMAs per tile, 2 x 2 tiles with a router each.
[[nodiscard]] arch::Arch round_machine();

struct Network {
  arch::Arch arch;
  place::Program program;
  std::vector<cycle::LayerSource> layers;
};
/// Places `graph` on `arch`, with seeded cells and conversions that never clip. `shares`: by layer, the one
/// whose cells and crossbars it uses, or -1; empty: none does.
[[nodiscard]] Network place_network(std::shared_ptr<const graph::Graph> graph, const arch::Arch& arch,
                                    const std::vector<place::LayerId>& shares = {});

/// Times in fs: "total", "image_end.<i>", "stage.<s>.first_start" ..., "stage.<s>.<action>",
/// "action.<action>".
[[nodiscard]] Figures simulate(const Network& network, std::int64_t images = 1);
/// The same of a result.
[[nodiscard]] Figures figures_of(const cycle::CycleResult& result);
/// The same with structural IMAs. "mismatches": sums that are not the plain integer product of the window and
/// the cells' codes; "sums": how many were checked.
[[nodiscard]] Figures simulate_structural(const Network& network, std::int64_t images = 1);

/// The figures of simulate(), after expecting that the structural chip gives the same and the right sums.
[[nodiscard]] Figures run(const Network& network, std::int64_t images = 1);

inline constexpr std::int64_t kNs = 1'000'000;

}  // namespace bitline::timing_test
