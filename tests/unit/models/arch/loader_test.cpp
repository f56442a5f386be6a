// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "models/arch/arch_loader.h"
#include "models/base/files.h"

namespace bitline::arch {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::ThrowsMessage;

const std::string kConfigs = BITLINE_SOURCE_DIR "/configs/";
const std::string kIsaac = kConfigs + "isaac.yaml";

/// Every key and value of a machine.
std::string values(const Arch& arch) {
  Arch copy = arch;
  std::string text;
  const base::Schema keys = schema(copy);
  for (const base::Field& field : keys.fields()) text += field.key + " = " + field.get() + "\n";
  return text;
}

class Shipped : public testing::TestWithParam<const char*> {
 protected:
  [[nodiscard]] LoadedArch load() const { return load_arch(kConfigs + GetParam()); }
};
INSTANTIATE_TEST_SUITE_P(Configs, Shipped,
                         testing::Values("isaac.yaml", "isaac-8bit.yaml", "bitslice-l1.yaml",
                                         "bitslice-4bit.yaml", "puma.yaml", "raella.yaml"));

/// Effects of devices and converters are no constants of a machine: off unless asked for.
bool is_effect(const std::string& key) {
  base::Schema effects;
  device::EffectParams params;
  device::add_effects(effects, params);
  return key.starts_with("adc.errors.") ||
         (key.starts_with("device.") && effects.find(key.substr(7)) != nullptr);
}

TEST_P(Shipped, GivesEveryConstantASource) {
  for (const ConstantSource& constant : load().constants) {
    if (is_effect(constant.key) && constant.source == "default") continue;
    EXPECT_THAT(constant.source,
                testing::AllOf(testing::Ne("default"), testing::Ne("no source given"), testing::Ne("")))
        << constant.key;
  }
}

TEST_P(Shipped, ResolvedTextLoadsToTheIdenticalMachine) {
  const LoadedArch first = load();
  const std::string text = resolved_yaml(first);
  const LoadedArch second = parse_arch(text, "resolved");
  EXPECT_EQ(values(first.arch), values(second.arch));
  EXPECT_EQ(resolved_yaml(second), text);
  ASSERT_EQ(first.constants.size(), second.constants.size());
  for (std::size_t i = 0; i < first.constants.size(); ++i) {
    EXPECT_EQ(first.constants[i].source, second.constants[i].source) << first.constants[i].key;
  }
}

TEST(Shipped, EachFolderEntryIsTested) {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kConfigs)) {
    if (entry.path().extension() == ".yaml") names.insert(entry.path().filename().string());
  }
  EXPECT_THAT(names, ElementsAre("bitslice-4bit.yaml", "bitslice-l1.yaml", "isaac-8bit.yaml", "isaac.yaml",
                                 "puma.yaml", "raella.yaml"));
}

TEST(LoadArch, IsaacIsAsPublished) {
  const Arch a = load_arch(kIsaac).arch;
  EXPECT_EQ(a.name, "isaac");
  EXPECT_EQ(a.crossbar.rows * a.crossbar.cols, 128 * 128);
  EXPECT_EQ(a.ima.crossbars * a.tile.imas * a.chip.tiles, 16128);
  EXPECT_EQ(a.precision.weights.bits, 16);
  EXPECT_EQ(input_chunks(a), 16);
  EXPECT_THAT(slice_widths(a), ElementsAre(2, 2, 2, 2, 2, 2, 2, 2));
  EXPECT_THAT(*built_adc_bits(a), ElementsAre(8, 8, 8, 8, 8, 8, 8, 8));
}

TEST(LoadArch, EightBitIsTheSameChip) {
  const Arch a = load_arch(kConfigs + "isaac-8bit.yaml").arch;
  EXPECT_EQ(a.precision.weights.bits, 8);
  EXPECT_EQ(a.precision.activations.bits, 8);
  EXPECT_THAT(slice_widths(a), ElementsAre(2, 2, 2, 2));
  EXPECT_EQ(input_chunks(a), 8);
  EXPECT_EQ(a.ima.crossbars * a.tile.imas * a.chip.tiles, 16128);
}

TEST(LoadArch, BitSliceL1IsAsPublished) {
  const Arch a = load_arch(kConfigs + "bitslice-l1.yaml").arch;
  EXPECT_EQ(a.encoding.weights, WeightEncoding::differential);
  EXPECT_EQ(a.precision.weights.scheme, WeightScheme::dynamic_fixed_point);
  EXPECT_EQ(a.slices.placement, SlicePlacement::separate);
  EXPECT_EQ(code_bits(a), 8);
  EXPECT_THAT(slice_widths(a), ElementsAre(2, 2, 2, 2));
  EXPECT_THAT(*built_adc_bits(a), ElementsAre(1, 3, 3, 3));
}

TEST(LoadArch, ConvertersAreBuiltForTheWidestThatAnyLayerAsksFor) {
  const auto built = [](const std::vector<std::string>& overrides) {
    return built_adc_bits(load_arch(kConfigs + "bitslice-l1.yaml", overrides).arch);
  };
  EXPECT_THAT(*built({"adc.resolution.layers=[{layer: a, bits: 2}, {layer: b, bits: [1, 1, 1, 5]}]"}),
              ElementsAre(2, 3, 3, 5));
  EXPECT_THAT(*built({"adc.resolution.bits=4", "adc.resolution.layers=[{layer: a, bits: [3, 3, 6, 3]}]"}),
              ElementsAre(4, 4, 6, 4));
  EXPECT_THAT(*built({"adc.resolution.granularity=layer"}), ElementsAre(3));
  EXPECT_FALSE(built({"adc.resolution.policy=percentile"}).has_value());
}

TEST(LoadArch, OverridesReplaceValuesAndAreTheirSource) {
  const LoadedArch loaded =
      load_arch(kIsaac, {"crossbar.read_latency=50 ns", "adc.resolution.policy=lossless"});
  EXPECT_EQ(loaded.arch.crossbar.read_latency, base::Time::from_ns(50));
  EXPECT_EQ(loaded.arch.adc.resolution.policy, periphery::AdcPolicy::lossless);
  EXPECT_FALSE(built_adc_bits(loaded.arch).has_value());
  for (const ConstantSource& constant : loaded.constants) {
    const bool overridden =
        constant.key == "crossbar.read_latency" || constant.key == "adc.resolution.policy";
    EXPECT_EQ(constant.source == "--set", overridden) << constant.key;
    if (constant.key == "crossbar.read_latency") {
      EXPECT_EQ(constant.value, "50 ns");
    }
  }
}

TEST(LoadArch, WhatIsNotGivenIsADefault) {
  const LoadedArch loaded = parse_arch("crossbar: {cols: 64}\nname: small\n", "small.yaml");
  EXPECT_EQ(loaded.arch.crossbar.cols, 64);
  for (const ConstantSource& constant : loaded.constants) {
    EXPECT_EQ(constant.source, constant.key == "crossbar.cols" ? "no source given" : "default")
        << constant.key;
  }
}

TEST(LoadArch, TheTableModelRoundTrips) {
  const std::string table =
      "[{bits: 8, energy: 1.5 pJ, area: 1200 um2, rate: 1.28 GS/s}, "
      "{bits: 6, energy: 1.26 pJ, area: 580 um2, rate: 1 GS/s}]";
  const LoadedArch loaded = load_arch(kIsaac, {"adc.model=table", "adc.table=" + table});
  ASSERT_EQ(loaded.arch.adc.table.size(), 2u);
  EXPECT_EQ(loaded.arch.adc.table[1].energy.value(), 1.26e-12);
  EXPECT_EQ(parse_arch(resolved_yaml(loaded), "r").arch.adc.table, loaded.arch.adc.table);
}

TEST(LoadArch, FaultyTablesAreRefused) {
  const auto message = [](const std::string& table) -> std::string {
    try {
      (void)load_arch(kIsaac, {"adc.table=" + table});
    } catch (const base::ConfigError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_THAT(message("3"), HasSubstr("adc.table: not a list; allowed: a list of {bits: 8,"));
  EXPECT_THAT(message("[3]"), HasSubstr("a row that is not {...}"));
  EXPECT_THAT(message("[{bits: 3}]"), HasSubstr("a row without energy"));
  EXPECT_THAT(message("[{bits: 3, energy: 1 pJ, area: 1 um2, rate: 1 GHz, x: 1}]"),
              HasSubstr("unknown key 'x' in a row"));
  EXPECT_THAT(message("[{bits: 99, energy: 1 pJ, area: 1 um2, rate: 1 GHz}]"),
              HasSubstr("'99' bits are out of range"));
  EXPECT_THAT(message("[{bits: 3, energy: 0 pJ, area: 1 um2, rate: 1 GHz}]"),
              HasSubstr("'0 pJ' is out of range"));
  EXPECT_THAT(message("[{bits: 3, energy: 1 mW, area: 1 um2, rate: 1 GHz}]"), HasSubstr("has the unit 'mW'"));
  EXPECT_THAT(message("[{bits: 3, energy: 1 pJ, area: 1 um2, rate: 1 Hz}]"),
              HasSubstr("'1 Hz' is out of range"));
  const std::string row = "{bits: 3, energy: 1 pJ, area: 1 um2, rate: 1 GHz}";
  EXPECT_THAT(message("[" + row + ", " + row + "]"), HasSubstr("two rows for 3 bits"));
}

TEST(LoadArch, BitsOfSingleLayersRoundTrip) {
  const LoadedArch loaded = load_arch(
      kIsaac,
      {"precision.layers=[{layer: conv1, weights: 4, activations: 6}, {layer: \"a: b\", weights: 2}]"});
  const std::vector<LayerBits> expected = {{"conv1", 4, 6}, {"a: b", 2, 0}};
  EXPECT_EQ(loaded.arch.precision.layers, expected);
  EXPECT_EQ(parse_arch(resolved_yaml(loaded), "r").arch.precision.layers, expected);
}

TEST(LoadArch, FaultyBitsOfLayersAreRefused) {
  const auto message = [](const std::string& rows) -> std::string {
    try {
      (void)load_arch(kIsaac, {"precision.layers=" + rows});
    } catch (const base::ConfigError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_THAT(message("3"), HasSubstr("precision.layers: not a list; allowed: a list of {layer: conv1,"));
  EXPECT_THAT(message("[3]"), HasSubstr("a row that is not {...}"));
  EXPECT_THAT(message("[{weights: 3}]"), HasSubstr("a row without layer"));
  EXPECT_THAT(message("[{layer: fc}]"), HasSubstr("a row for 'fc' without bits"));
  EXPECT_THAT(message("[{layer: fc, bits: 3}]"), HasSubstr("unknown key 'bits' in a row"));
  EXPECT_THAT(message("[{layer: fc, weights: 17}]"), HasSubstr("'17' bits are out of range"));
  EXPECT_THAT(message("[{layer: [a], weights: 3}]"), HasSubstr("'layer' of a row is no plain value"));
  EXPECT_THAT(message("[{layer: fc, weights: 3}, {layer: fc, weights: 4}]"), HasSubstr("two rows for 'fc'"));
}

TEST(ArchText, GivesEveryMachineAsIfItWereTheFirst) {
  const std::string yaml = "name: x\ncrossbar: {rows: 64, active_rows: 32, source: paper}\n";
  ArchText text(yaml, "m.yaml");
  const std::vector<std::vector<std::string>> sets = {
      {"crossbar.rows=256", "adc.resolution.bits=[5, 6, 7, 8]"}, {"crossbar.active_rows=16"}, {}};
  for (const std::vector<std::string>& set : sets) {
    EXPECT_THROW((void)text.with({"crossbar.active_rows=512"}), base::ConfigError);
    const LoadedArch loaded = text.with(set);
    for (const ConstantSource& constant : loaded.constants) {
      const std::string own =
          std::find_if(set.begin(), set.end(),
                       [&](const std::string& s) { return s.starts_with(constant.key + "="); }) != set.end()
              ? "--set"
              : "";
      const std::string file =
          constant.key == "crossbar.rows" || constant.key == "crossbar.active_rows" ? "paper" : "default";
      EXPECT_EQ(constant.source, own.empty() ? file : own) << constant.key;
    }
    // The values of the constants are those of the machine, and they are what the text says, written out.
    LoadedArch copy = loaded;
    const base::Schema keys = schema(copy.arch);
    for (const ConstantSource& constant : loaded.constants)
      EXPECT_EQ(constant.value, keys.find(constant.key)->get()) << constant.key;
    const bool first = !set.empty() && set[0] == "crossbar.rows=256";
    EXPECT_EQ(loaded.arch.crossbar.rows, first ? 256 : 64);
    EXPECT_EQ(loaded.arch.crossbar.active_rows, set.size() == 1 ? 16 : 32);
    EXPECT_EQ(loaded.arch.adc.resolution.bits, first ? std::vector<int>({5, 6, 7, 8}) : std::vector<int>{8});
  }
}

TEST(LoadArch, ReportsFileAndOverridesAtOnceWithLines) {
  EXPECT_THAT(
      [] { (void)parse_arch("crossbar:\n  colls: 128\nadc:\n  rate: 5\n", "bad.yaml", {"chip.tiels=2"}); },
      ThrowsMessage<base::ConfigError>(
          "bad.yaml:2: crossbar.colls: unknown key; did you mean 'crossbar.cols'?\n"
          "bad.yaml:4: adc.rate: '5' has no unit; allowed: a frequency with a unit "
          "(Hz, kHz, MHz, GHz, S/s, kS/s, MS/s, GS/s)\n"
          "--set: chip.tiels: unknown key; did you mean 'chip.tiles'?"));
}

TEST(LoadArch, RulesAcrossKeysSayWhereTheKeyWasGiven) {
  EXPECT_THAT([] { (void)parse_arch("name: x\ncrossbar:\n  active_rows: 256\n", "bad.yaml"); },
              ThrowsMessage<base::ConfigError>(
                  HasSubstr("bad.yaml:3: crossbar.active_rows: 256 rows driven together")));
  EXPECT_THAT([] { (void)parse_arch("name: x\ncrossbar:\n  rows: 64\n", "bad.yaml"); },
              ThrowsMessage<base::ConfigError>(HasSubstr("bad.yaml: crossbar.active_rows: 128 rows")));
  EXPECT_THAT([] { (void)parse_arch("name: x\n", "bad.yaml", {"crossbar.active_rows=256"}); },
              ThrowsMessage<base::ConfigError>(HasSubstr("--set: crossbar.active_rows: 256 rows")));
}

TEST(LoadArch, HostileFilesAreConfigErrors) {
  for (const std::string& text :
       std::vector<std::string>{"", "# nothing\n", "- a\n", "words\n", std::string(100000, '['),
                                std::string("\0\1\2", 3), "a: &a [*a, *a]\n", "null\n", "{}\n"}) {
    EXPECT_THROW((void)parse_arch(text, "hostile.yaml"), base::ConfigError) << text.substr(0, 20);
  }
}

TEST(LoadArch, FilesThatCannotBeReadAreConfigErrors) {
  const std::string path =
      (std::filesystem::temp_directory_path() / ("bitline_large_" + std::to_string(::getpid()) + ".yaml"))
          .string();
  base::write_file_atomically(path, std::string((1 << 20) + 1, '#'));
  EXPECT_THAT([&] { (void)load_arch(path); }, ThrowsMessage<base::ConfigError>(HasSubstr("is too large")));
  std::filesystem::remove(path);
  EXPECT_THAT([&] { (void)load_arch(path); },
              ThrowsMessage<base::ConfigError>(HasSubstr("cannot be read: No such file")));
  EXPECT_THAT([] { (void)load_arch("/"); },
              ThrowsMessage<base::ConfigError>(HasSubstr("is not a regular file")));
}

TEST(LoadArch, NamesOfTheContractAreKeys) {
  Arch arch;
  const base::Schema keys = schema(arch);
  for (const char* key : {"crossbar.rows",
                          "crossbar.cols",
                          "crossbar.active_rows",
                          "crossbar.read_latency",
                          "device.bits_per_cell",
                          "dac.bits",
                          "encoding.weights",
                          "adc.kind",
                          "adc.per_ima",
                          "adc.conversion",
                          "adc.resolution.policy",
                          "adc.resolution.bits",
                          "slices.placement",
                          "precision.weights.bits",
                          "precision.activations.bits",
                          "ima.crossbars",
                          "tile.imas",
                          "chip.tiles",
                          "adc.rate",
                          "encoding.subtraction",
                          "encoding.flip"}) {
    EXPECT_NE(keys.find(key), nullptr) << key;
  }
}

TEST(Schema, KeysAreUniqueAndSectionsAreContiguous) {
  Arch arch;
  const base::Schema keys = schema(arch);
  std::set<std::string> seen;
  for (const base::Field& field : keys.fields()) {
    EXPECT_TRUE(seen.insert(field.key).second) << field.key;
    EXPECT_FALSE(keys.is_section(field.key)) << field.key;
  }
}

TEST(Reference, TheCommittedFileIsUpToDate) {
  EXPECT_EQ(base::read_file(kConfigs + "REFERENCE.md", 1 << 20), reference_markdown())
      << "write it anew: bitline check --reference > configs/REFERENCE.md";
}

TEST(Reference, ListsEveryKey) {
  Arch arch;
  const std::string text = reference_markdown();
  const base::Schema keys = schema(arch);
  for (const base::Field& field : keys.fields()) EXPECT_THAT(text, HasSubstr("| `" + field.key + "` |"));
}

}  // namespace
}  // namespace bitline::arch
