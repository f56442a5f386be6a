// SPDX-License-Identifier: Apache-2.0
// Small networks for ImageNet, as torchvision has them.
#pragma once

#include <cstdint>
#include <string>

#include "workloads/seed.h"

namespace bitline::workloads {

struct ImageShape {
  std::int64_t classes = 1000;
  std::int64_t resolution = 224;
};

/// Sandler et al., CVPR 2018, width 1.
[[nodiscard]] std::string make_mobilenetv2(const std::string& name, Seed seed, const ImageShape& shape);
/// Tan et al., CVPR 2019: MnasNet-B1, depth multiplier 1.
[[nodiscard]] std::string make_mnasnet1_0(const std::string& name, Seed seed, const ImageShape& shape);
/// Iandola et al., arXiv 1602.07360, version 1.1 of the authors' repository.
[[nodiscard]] std::string make_squeezenet1_1(const std::string& name, Seed seed, const ImageShape& shape);

}  // namespace bitline::workloads
