// SPDX-License-Identifier: Apache-2.0
// Cells of the DARTS search space (Liu, Simonyan, Yang, ICLR 2019): from a known name or a JSON file.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace bitline::workloads {

/// An operation and the state it reads: 0 and 1 are the outputs of the cell before the last and of the last,
/// 2 to 5 the nodes of this cell.
struct CellEdge {
  std::string op;
  int input = 0;
};

struct CellGenotype {
  std::vector<CellEdge> edges;             ///< eight; edges 2i and 2i+1 are summed in node i + 2
  std::vector<int> concat = {2, 3, 4, 5};  ///< the states that are the cell's output
};

struct Genotype {
  CellGenotype normal, reduce;
  std::map<int, CellGenotype> cells;  ///< in place of these where a cell has its own, by cell
  /// The cell at `index`.
  [[nodiscard]] const CellGenotype& cell(int index, bool reduction) const;
};

/// The operations of the space, in the order of the authors' code (PRIMITIVES of quark0/darts).
[[nodiscard]] const std::vector<std::string>& darts_operations();

/// The names of published genotypes.
[[nodiscard]] std::vector<std::string> genotype_names();

/// A published genotype, or one from a JSON file (README.md), or from the text of one. Throws
/// base::UsageError with every problem.
[[nodiscard]] Genotype load_genotype(const std::string& name_or_path);
/// The same from the text of a file; `name` stands for the file in messages.
[[nodiscard]] Genotype parse_genotype(const std::string& text, const std::string& name);

}  // namespace bitline::workloads
