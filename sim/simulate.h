// SPDX-License-Identifier: Apache-2.0
// One simulation from files to a result: load, import, calibrate, quantise, slice, place, compute the values,
// simulate the time, apply the costs. The command line (and any other caller) is a thin shell over this.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "sim/images.h"
#include "sim/mapping.h"
#include "sim/result/result.h"

namespace bitline::sim {

enum class Mode {
  cycle,       ///< IMAs are transaction-level modules, values come from the engine
  structural,  ///< every part of an IMA is a live SystemC module; its values and actions must equal the
               ///< engine's
  analytic,  ///< values come from the engine, times from equations (sim/analytic); without values: analyse.h
};

[[nodiscard]] const char* to_string(Mode mode);

struct SimulationRequest {
  MappingRequest files;
  std::string input;                      ///< images (load_images); empty: `batch` random ones
  std::vector<std::string> named_inputs;  ///< instead: "name=file" for each network input (load_named_images)
  std::string labels;           ///< of the images; empty: those that come with the images, or no accuracy
  std::string calibration;      ///< images; empty: the first kCalibrationImages of the input
  Normalisation normalisation;  ///< of the input and of the calibration images
  std::int64_t batch = 1;       ///< images streamed through the simulation of time, the first of the input
  Mode mode = Mode::cycle;
  std::uint64_t seed = 1;    ///< of random images
  std::int64_t trials = 1;   ///< simulated chips, where the machine's effects make them differ
  double timeout_s = 0;      ///< wall clock; 0: none
  std::string dump_outputs;  ///< folder for `<output>.npy`; empty: none
  std::string dump_layers;   ///< folder for the integers of every crossbar layer; empty: none
  /// Activities of the parts (`.pftrace`, mode cycle) or waveforms of the IMAs (`.vcd`, mode structural);
  /// empty: none.
  std::string trace;
  std::string trace_window;  ///< "<from>:<to>" with units; empty: all. Activities only.
  /// Called from one thread at a time with what is done ("values", "time") and how much of it.
  std::function<void(const char* phase, std::int64_t done, std::int64_t total)> progress;
};

inline constexpr std::int64_t kCalibrationImages = 64;

/// Outputs and accuracy are those of all images of the input (on the first chip where there are several);
/// latency, energy, conversions and stalls those of the `batch` images that are streamed. At most one call
/// per process, but for mode analytic (see cycle::simulate_cycles). Throws every kind of base::Error;
/// std::logic_error where a structural run differs from the engine.
[[nodiscard]] result::Result simulate(const SimulationRequest& request);
/// The same of a machine and a network that are loaded already. With an empty `request.files.network` the
/// name and hash of the network in the provenance are left to the caller.
[[nodiscard]] result::Result simulate(const SimulationRequest& request, arch::LoadedArch machine,
                                      const std::shared_ptr<const graph::Graph>& graph);

/// The float32 reference of a network.
struct InferRequest {
  std::string network;
  std::vector<std::string> dimensions;  ///< "name=size" of symbolic dimensions
  std::string input;
  std::vector<std::string> named_inputs;  ///< as of SimulationRequest
  std::string labels;                     ///< empty: those that come with the images, or no accuracy
  Normalisation normalisation;
  std::string dump_outputs;  ///< folder; empty: none
};
struct InferResult {
  struct Output {
    std::string name;
    tensor::Shape shape;  ///< images along the first axis
    std::string file;     ///< where it was written; empty: nowhere
  };
  std::int64_t images = 0;
  std::vector<Output> outputs;
  std::vector<std::int64_t> top1;  ///< per image: index of the highest score of the first output
  std::optional<double> accuracy;  ///< share of images whose top1 is the label
};
[[nodiscard]] InferResult infer(const InferRequest& request);

}  // namespace bitline::sim
