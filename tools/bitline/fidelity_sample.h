// SPDX-License-Identifier: Apache-2.0
// The networks on which mode `analytic` is compared with mode `cycle`.
#pragma once

#include <string>
#include <vector>

#include "workloads/networks.h"

namespace bitline::cli {

struct SampleNetwork {
  std::string label;
  std::string workload;
  workloads::Options options;
  bool on_every_chip = false;  ///< else on one, dealt in turn
};

/// DARTS genotypes drawn by a fixed seed, of several depths, widths and resolutions, and ResNet, VGG,
/// MobileNet, SqueezeNet variants; `small`: a few of them that take seconds.
[[nodiscard]] std::vector<SampleNetwork> fidelity_sample(bool small);

}  // namespace bitline::cli
