// SPDX-License-Identifier: Apache-2.0
// What travels between the modules of a structural IMA: the levels on a bundle of wires, and converted
// samples.
#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "models/base/systemc.h"

namespace bitline::periphery {

/// Which read of the IMA something belongs to. `read` numbers the reads of a run, so equal levels of two
/// reads in a row still differ.
struct ReadStep {
  std::int64_t read = -1;
  int phase = 0;
  int chunk = 0;
  friend bool operator==(const ReadStep&, const ReadStep&) = default;
};

/// Levels on the wordlines of a crossbar (one per driven row) or on its bitlines (one per column).
struct Levels {
  ReadStep step;
  bool gated = false;  ///< nothing is driven, so nothing is read or converted
  std::vector<std::int64_t> values;
  std::vector<std::int64_t>
      inputs;  ///< bitlines: sum of the levels driven into the column's group (unit column)
  friend bool operator==(const Levels&, const Levels&) = default;
};

/// One converted column.
struct Sample {
  ReadStep step;
  int crossbar = -1;
  int column = -1;
  bool gated = false;
  std::int64_t value = 0;
  std::int64_t inputs = 0;
  friend bool operator==(const Sample&, const Sample&) = default;
};

inline std::ostream& operator<<(std::ostream& out, const ReadStep& s) {
  return out << s.read << '/' << s.phase << '/' << s.chunk;
}
inline std::ostream& operator<<(std::ostream& out, const Levels& l) {
  out << l.step;
  for (const std::int64_t value : l.values) out << ' ' << value;
  return out;
}
inline std::ostream& operator<<(std::ostream& out, const Sample& s) {
  return out << s.step << ' ' << s.crossbar << '.' << s.column << '=' << s.value;
}

// Waveforms show the running number of the read, and the value of a sample.
inline void sc_trace(sc_core::sc_trace_file* file, const ReadStep& s, const std::string& name) {
  sc_core::sc_trace(file, s.read, name + ".read");
  sc_core::sc_trace(file, s.phase, name + ".phase");
  sc_core::sc_trace(file, s.chunk, name + ".chunk");
}
inline void sc_trace(sc_core::sc_trace_file* file, const Levels& l, const std::string& name) {
  sc_core::sc_trace(file, l.step.read, name + ".read");
  sc_core::sc_trace(file, l.gated, name + ".gated");
}
inline void sc_trace(sc_core::sc_trace_file* file, const Sample& s, const std::string& name) {
  sc_core::sc_trace(file, s.step.read, name + ".read");
  sc_core::sc_trace(file, s.column, name + ".column");
  sc_core::sc_trace(file, s.value, name + ".value");
}

}  // namespace bitline::periphery
