// SPDX-License-Identifier: Apache-2.0
#include "tools/bitline/fidelity_sample.h"

#include <fmt/format.h>

#include <cstdint>
#include <initializer_list>
#include <random>

namespace bitline::cli {
namespace {

using Random = std::mt19937;

std::size_t below(Random& random, std::size_t n) {
  return random() % n;
}

/// Two operations on two different states for each of the four nodes, as the space has them.
std::string random_cell(Random& random) {
  constexpr const char* kOperations[] = {"max_pool_3x3", "avg_pool_3x3", "skip_connect", "sep_conv_3x3",
                                         "sep_conv_5x5", "dil_conv_3x3", "dil_conv_5x5"};
  std::string cell;
  for (std::size_t node = 0; node < 4; ++node) {
    const std::size_t first = below(random, node + 2);
    const std::size_t second = (first + 1 + below(random, node + 1)) % (node + 2);
    for (const std::size_t input : {first, second})
      cell += fmt::format("{}[\"{}\", {}]", cell.empty() ? "" : ", ",
                          kOperations[below(random, std::size(kOperations))], input);
  }
  return "[" + cell + "]";
}

SampleNetwork random_darts(std::uint32_t seed) {
  Random random(seed);
  constexpr std::int64_t kLayers[] = {3, 4, 5, 6, 8};
  constexpr std::int64_t kChannels[] = {8, 12, 16, 20};
  constexpr std::int64_t kResolutions[] = {16, 24, 32};
  SampleNetwork network;
  network.workload = "darts";
  network.options.layers = kLayers[below(random, std::size(kLayers))];
  network.options.channels = kChannels[below(random, std::size(kChannels))];
  network.options.resolution = kResolutions[below(random, std::size(kResolutions))];
  network.label = fmt::format("darts-{}-L{}-C{}-{}", seed, *network.options.layers, *network.options.channels,
                              *network.options.resolution);
  const std::string normal = random_cell(random);
  network.options.genotype = fmt::format(R"({{"normal": {}, "reduce": {}}})", normal, random_cell(random));
  return network;
}

void add(std::vector<SampleNetwork>& sample, const char* workload,
         std::initializer_list<std::int64_t> resolutions) {
  for (const std::int64_t resolution : resolutions) {
    SampleNetwork network{fmt::format("{}-{}", workload, resolution), workload, {}, true};
    network.options.resolution = resolution;
    sample.push_back(std::move(network));
  }
}

}  // namespace

std::vector<SampleNetwork> fidelity_sample(bool small) {
  std::vector<SampleNetwork> sample;
  const std::uint32_t genotypes = small ? 4 : 180;
  for (std::uint32_t seed = 1; seed <= genotypes; ++seed) sample.push_back(random_darts(seed));
  if (small) {
    add(sample, "resnet20", {32});
    return sample;
  }
  for (const char* genotype : {"DARTS_V1", "DARTS_V2", "PC_DARTS"}) {
    SampleNetwork network{fmt::format("{}-L8-C16", genotype), "darts", {}, true};
    network.options.genotype = genotype;
    network.options.layers = 8;
    network.options.channels = 16;
    sample.push_back(std::move(network));
  }
  add(sample, "resnet20", {32, 40, 48, 56, 64});
  add(sample, "resnet18", {32, 64, 96, 128});
  add(sample, "resnet50", {32, 64});
  add(sample, "vgg8", {32, 40, 48});
  add(sample, "mobilenetv2", {32, 64, 96});
  add(sample, "mnasnet1_0", {32, 64});
  add(sample, "squeezenet1_1", {64, 96});
  return sample;
}

}  // namespace bitline::cli
