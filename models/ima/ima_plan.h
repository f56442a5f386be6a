// SPDX-License-Identifier: Apache-2.0
// What one IMA does for every window: which crossbars read which rows in which phases, and what becomes of
// each column. The mapper's placement is translated into this (sim/cycle/plan_builder.h); an MVM of the plan
// is run by StructuralIma, TransactionIma or functional_mvm.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "models/base/units.h"
#include "models/periphery/adc.h"

namespace bitline::ima {

/// The bits of an input that one read drives; its digital weight is sign * 2^shift.
struct Chunk {
  int shift = 0;
  int width = 0;
  int sign = 1;  ///< -1: the sign bit of a two's complement input
};

/// Inputs of a layer.
struct InputFormat {
  int bits = 8;
  bool is_signed = false;
  int dac_bits = 1;
  /// Reads per phase, least significant first: ceil(bits / dac_bits) chunks; signed inputs: the low bits - 1
  /// in chunks of dac_bits, then the sign.
  [[nodiscard]] std::vector<Chunk> chunks() const;
  [[nodiscard]] int chunk_count() const {
    const int magnitude_bits = is_signed ? bits - 1 : bits;
    return (magnitude_bits + dac_bits - 1) / dac_bits + (is_signed ? 1 : 0);
  }
  /// Bytes of `inputs` inputs, packed, as they lie in registers and buffers.
  [[nodiscard]] std::int64_t bytes(std::int64_t inputs) const { return (inputs * bits + 7) / 8; }
};

/// One column of a phase.
struct Column {
  int bits = 0;           ///< of the conversion; 0: not converted (every cell is zero)
  int truncation = 0;     ///< adc.conversion truncate: low bits that are dropped
  int result = 0;         ///< accumulator that the conversion is added to
  int shift = 0;          ///< of the slice
  int sign = 1;           ///< of the slice and of the array
  std::int64_t flip = 0;  ///< 0, or 2^w - 1 where the column is stored as (2^w - 1) - c
  int row_first = 0;      ///< rows of the phase that hold this column's group
  int row_count = 0;
};

/// Rows driven together and the columns converted after it, in the order of conversion.
struct PhasePlan {
  std::vector<int> rows;  ///< index in the input vector; may be empty where only time is wanted
  std::vector<Column> columns;
  std::vector<std::uint16_t> cells;  ///< [column][row] as stored; empty where only time is wanted
  int row_count = 0;

  [[nodiscard]] bool converts() const {
    return std::any_of(columns.begin(), columns.end(), [](const Column& column) { return column.bits > 0; });
  }
};

struct CrossbarPlan {
  int slot = 0;
  /// Index in ImaPlan::crossbars of the array whose column sums this one is subtracted from before the
  /// conversion (analog subtraction); this one's own columns are not converted. -1: none.
  int subtracts_from = -1;
  std::vector<PhasePlan> phases;
  bool reference_column = false;  ///< read with every phase that converts a column (values: sim/engine)
};

struct ImaPlan {
  int slots = 8;  ///< crossbars of the IMA, used or not
  int adcs = 8;
  InputFormat format;
  periphery::AdcConversion conversion = periphery::AdcConversion::clip;
  bool gate_zero_chunks = false;
  int inputs = 0;                ///< length of the input vector
  std::int64_t input_bytes = 0;  ///< into the input register per MVM
  int results = 0;
  int output_bits = 16;  ///< of one result in the output register
  std::int64_t centre_additions =
      0;  ///< per MVM, by the shift-adds: what the cells leave to the digital side
  std::vector<CrossbarPlan> crossbars;

  [[nodiscard]] int phases() const;
  /// All results of an MVM, packed.
  [[nodiscard]] std::int64_t results_bytes() const { return (std::int64_t{results} * output_bits + 7) / 8; }
  /// Read out to the DACs per MVM: each crossbar's rows, phase by phase.
  [[nodiscard]] std::int64_t register_read_bytes() const;
};

/// The ADC of the `converted`-th converted column of a phase on slot `slot`. With at least as many ADCs as
/// crossbars, each crossbar has adcs/slots of its own and deals its columns out to them; else slots/adcs
/// crossbars share one.
[[nodiscard]] int adc_of(int slots, int adcs, int slot, int converted);

/// [phase] how long the ADC with the most work converts, from valid samples on.
[[nodiscard]] std::vector<base::Time> conversion_times(const ImaPlan& plan, const periphery::AdcParams& adc);

}  // namespace bitline::ima
