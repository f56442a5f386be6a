// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sim/result/result.h"

namespace bitline::result {

/// A small result with every field set, whose sums agree.
[[nodiscard]] inline Result sample() {
  Result r;
  r.latency = {2e-6, 1e-6, 3e-6};
  r.cycles = 30;
  r.throughput_ips = 1e6;
  r.energy = {0.1 + 0.2, 0.2, 0.1, {{"adc", 0.2}, {"edram", 0.1}}};
  r.area_mm2 = 3.5;
  r.area_by_component = {{"adc", 3.0}, {"router", 0.5}};
  r.power_w = 0.2e6;
  r.crossbar_macs = 90;
  r.digital_macs = 10;
  r.tops = 0.5;
  r.tops_per_w = 0.25;
  r.tops_per_mm2 = 1.0 / 7.0;
  r.conversions = 123456789;
  r.clipped = 7;
  r.gated = 11;
  r.crossbars_used = 3;
  r.crossbars_available = 16128;
  r.cell_utilization = 0.5;
  r.chips = 2;
  r.noc = {"snake", 12345, 67890, 543};
  r.reprogramming = Reprogramming{2, 5e-6, 3e-6, 4096, 1024, 256, 2, 1e9, 1500};
  LayerResult conv;
  conv.name = "conv, \"first\"";
  conv.op = "conv";
  conv.crossbars = 3;
  conv.replicas = 1;
  conv.rows = 27;
  conv.cols = 16;
  conv.imas = 1;
  conv.tiles = 1;
  conv.cell_utilization = 0.5;
  conv.zero_weights = 0.125;
  conv.pruned = Pruned{36, 24, 6, 2, 1, 9, 2};
  conv.slices = {{2, 0.25, 15, 4, 23456789, 0}, {2, 0.5, 31, 5, 100000000, 7}};
  conv.start = 1e-7;
  conv.latency = 2.5e-6;
  conv.busy = 2e-6;
  conv.stalls = {1e-7, 2e-7, 3e-7, 4e-7, 5e-7};
  conv.energy = {0.1 + 0.2, 0.2, 0.1, {{"adc", 0.2}, {"edram", 0.1}}};
  conv.operators = {"conv 3x3", "relu"};
  conv.inputs = {0};
  conv.macs = 100;
  conv.bus_bytes = 12.5;
  conv.placement = {{4, 2, 1}, {7, 1, 0}};
  conv.waits = Waits{3, {0, 35, 10}, {1, 0, 25}};
  r.machine = {168, 14, 12, 8, 1.5e12, 2.5e9};
  r.waits_bin = 1e-8;
  r.parts = {{"bus", 2, 0.25, 0.5, 100, 7, 6e-8}};
  r.layers = {conv};
  r.accuracy = Accuracy{0.975, 1.0, 0.98, 360};
  r.provenance = {"0.1.0",
                  "cycle",
                  "net.onnx",
                  std::string(64, 'a'),
                  "isaac.yaml",
                  std::string(64, 'b'),
                  {"adc.resolution.bits=5"},
                  {{"adc.rate", "1.28 GHz", "the paper"}},
                  7,
                  "given",
                  "inputs",
                  2,
                  360};
  r.wall_time = {0.1, 0.2, 0.3, 0.6};
  return r;
}

/// The same of two chips whose cells are not ideal.
[[nodiscard]] inline Result device_sample() {
  Result r = sample();
  DeviceResult device;
  device.effects = {"device.variation", "adc.errors"};
  device.fault_map_sha256 = std::string(64, 'c');
  device.chips = {{4, 10, 0.5, 0.1, 0.9}, {5, 12, 0.25, 0.3, 0.8}};
  device.layers = {{"conv, \"first\"", 0.4}};
  device.ideal_top1 = 0.975;
  r.device = device;
  return r;
}

}  // namespace bitline::result
