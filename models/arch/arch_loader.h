// SPDX-License-Identifier: Apache-2.0
// The machine as text: one schema lists every key; the loader (load_arch in arch.h), the resolved config of a
// result, the generated reference and `bitline check` all read it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "models/arch/arch.h"
#include "models/base/errors.h"
#include "models/base/schema.h"

namespace bitline::arch {

/// Every key of an arch file, bound to the members of `arch` (which must outlive the schema).
[[nodiscard]] base::Schema schema(Arch& arch);

/// The key `layers` of section `precision`.
[[nodiscard]] base::Field layer_bits_field(std::vector<LayerBits>& rows);

/// Rules across keys; empty if all hold. `where` of a problem is the key path.
[[nodiscard]] std::vector<base::Problem> validate(const Arch& arch);

/// An arch file that is read once for many machines, which differ in their overrides. One thread at a time.
class ArchText {
 public:
  /// `name` stands for the file in messages. What is wrong with the text, with() throws.
  ArchText(const std::string& yaml, std::string name);
  ArchText(const ArchText&) = delete;
  ArchText& operator=(const ArchText&) = delete;
  ~ArchText() = default;
  /// As parse_arch of the same text.
  [[nodiscard]] LoadedArch with(const std::vector<std::string>& overrides);

 private:
  [[nodiscard]] base::Problem located(base::Problem problem, const std::vector<base::Assignment>& set) const;

  std::string name_;
  std::vector<base::Problem> problems_;
  Arch machine_;
  base::Schema keys_;                                 ///< of machine_
  std::map<std::string, base::Assignment> assigned_;  ///< in the file, by key
  LoadedArch as_written_;
};

/// The machine as an arch file with every key, value and source written out. Loading it gives the identical
/// Arch.
[[nodiscard]] std::string resolved_yaml(const LoadedArch& loaded);

/// configs/REFERENCE.md: every key with type, default, range and meaning.
[[nodiscard]] std::string reference_markdown();

/// Bits of a non-negative cell code: what the slice widths must hold. differential b-1 (dynamic_fixed_point
/// b), offset and twos_complement b, for b = precision.weights.bits.
[[nodiscard]] int code_bits(const Arch& arch);
/// Widths of the slices, most significant first: slices.widths, or, if that is empty, device.bits_per_cell
/// each with the rest in the most significant slice (twos_complement: one bit first).
[[nodiscard]] std::vector<int> slice_widths(const Arch& arch);
/// Input chunks of one MVM: ceil(activation bits / dac bits).
[[nodiscard]] int input_chunks(const Arch& arch);
/// ISAAC's rule: ceil(log2(rows)) + cell_bits + dac_bits, one less if either is 1, one less with the flip
/// encoding.
[[nodiscard]] int isaac_adc_bits(int rows, int cell_bits, int dac_bits, bool flip);
/// Resolution each slice's ADC is built for (most significant slice first, or one number for all) where the
/// machine alone decides it: policy fixed or isaac, and adc.resolution.layers where they ask for more. Empty
/// optional: lossless and percentile, which depend on the network.
[[nodiscard]] std::optional<std::vector<int>> built_adc_bits(const Arch& arch);

}  // namespace bitline::arch
