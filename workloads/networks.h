// SPDX-License-Identifier: Apache-2.0
// Well-known networks as ONNX files with seeded weights: the shapes and sizes of the published ones, without
// training. The same name and seed give the same bytes on any machine.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace bitline::workloads {

struct Workload {
  std::string name;
  std::string description;  ///< one line
};

/// The networks that `make` knows, smallest first.
[[nodiscard]] std::vector<Workload> list();

/// The ONNX model, with a symbolic batch. Weights: He-scaled (standard deviation sqrt(2 / inputs of a
/// neuron)), biases small, batch normalisation with statistics near one. Throws base::UsageError for an
/// unknown name.
[[nodiscard]] std::string make(const std::string& name, std::uint64_t seed);

}  // namespace bitline::workloads
