// SPDX-License-Identifier: Apache-2.0
// The line-by-line approximation of IR drop against a nodal analysis of every node of the crossbar.
#include "models/device/wires.h"

#include <gtest/gtest.h>

#include <Eigen/SparseCholesky>
#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace bitline::device {
namespace {

using Matrix = Eigen::MatrixXd;

/// Column currents per volt on each row, by Kirchhoff's current law at 2 x rows x columns nodes: a unit
/// voltage at one row's driver, the other drivers and all sensed ends at ground.
Matrix nodal(const Matrix& g, double ohm) {
  const auto rows = static_cast<int>(g.rows());
  const auto columns = static_cast<int>(g.cols());
  const int cells = rows * columns;
  const double wire = 1.0 / ohm;
  std::vector<Eigen::Triplet<double>> entries;
  const auto to_ground = [&](int node, double siemens) { entries.emplace_back(node, node, siemens); };
  const auto between = [&](int a, int b, double siemens) {
    to_ground(a, siemens);
    to_ground(b, siemens);
    entries.emplace_back(a, b, -siemens);
    entries.emplace_back(b, a, -siemens);
  };
  for (int i = 0; i < rows; ++i)
    for (int j = 0; j < columns; ++j) {
      const int word = i * columns + j;
      const int bit = cells + word;
      between(word, bit, g(i, j));
      if (j > 0) between(word - 1, word, wire);
      if (i > 0) between(bit - columns, bit, wire);
    }
  for (int i = 0; i < rows; ++i) to_ground(i * columns, wire);
  for (int j = 0; j < columns; ++j) to_ground(cells + j, wire);
  Eigen::SparseMatrix<double> conductances(2 * cells, 2 * cells);
  conductances.setFromTriplets(entries.begin(), entries.end());
  const Eigen::SimplicialLDLT<Eigen::SparseMatrix<double>> solver(conductances);
  Matrix transfer(rows, columns);
  for (int i = 0; i < rows; ++i) {
    Eigen::VectorXd injected = Eigen::VectorXd::Zero(2 * cells);
    injected(i * columns) = wire;
    const Eigen::VectorXd voltages = solver.solve(injected);
    for (int j = 0; j < columns; ++j) transfer(i, j) = voltages(cells + j) * wire;
  }
  return transfer;
}

Matrix approximated(const Matrix& g, double ohm) {
  std::vector<double> cells;
  for (int i = 0; i < g.rows(); ++i)
    for (int j = 0; j < g.cols(); ++j) cells.push_back(g(i, j));
  add_wires(cells, static_cast<int>(g.rows()), static_cast<int>(g.cols()), base::Resistance(ohm));
  Matrix result(g.rows(), g.cols());
  for (int i = 0; i < g.rows(); ++i)
    for (int j = 0; j < g.cols(); ++j) result(i, j) = cells[static_cast<std::size_t>(i * g.cols() + j)];
  return result;
}

/// Levels of 2-bit cells; `share` of them not zero.
Matrix random_cells(int rows, int columns, double on_ohm, double off_siemens, double share, unsigned seed) {
  std::mt19937 random(seed);
  Matrix g(rows, columns);
  for (int i = 0; i < rows; ++i)
    for (int j = 0; j < columns; ++j) {
      const bool zero = static_cast<double>(random() % 1000) >= share * 1000;
      const int level = zero ? 0 : static_cast<int>(1 + random() % 3);
      g(i, j) = off_siemens + level / 3.0 * (1.0 / on_ohm - off_siemens);
    }
  return g;
}

struct Errors {
  double drop = 0;   ///< largest relative loss of a column's current, all rows driven
  double error = 0;  ///< largest error of the approximation, relative to the ideal current
};
Errors compare(const Matrix& g, double ohm) {
  const Matrix exact = nodal(g, ohm);
  const Matrix fast = approximated(g, ohm);
  Errors errors;
  for (int j = 0; j < g.cols(); ++j) {
    const double ideal = g.col(j).sum();
    if (ideal == 0.0) continue;
    errors.drop = std::max(errors.drop, (ideal - exact.col(j).sum()) / ideal);
    errors.error = std::max(errors.error, std::abs(fast.col(j).sum() - exact.col(j).sum()) / ideal);
  }
  return errors;
}

TEST(Wires, OneCellIsTwoSegmentsInSeries) {
  const Matrix g = Matrix::Constant(1, 1, 1e-4);
  EXPECT_NEAR(nodal(g, 10.0)(0, 0), 1.0 / (1e4 + 20.0), 1e-15);
  // (1 / (1 + r G))^2 in place of 1 / (1 + 2 r G)
  EXPECT_NEAR(approximated(g, 10.0)(0, 0), 1e-4 / (1.001 * 1.001), 1e-15);
}

TEST(Wires, OneColumnWithIdealRowsIsExactAlongTheBitline) {
  // A single column has wordlines of one segment each, in series with its cell.
  const Matrix g = random_cells(24, 1, 5e3, 1e-6, 0.8, 3);
  const Errors errors = compare(g, 2.82);
  EXPECT_GT(errors.drop, 0.05);
  EXPECT_LT(errors.error, 2e-3 * errors.drop) << "only the one segment of each row couples";
}

TEST(Wires, TheErrorIsAtMostThreeTenthsOfTheDropSquared) {
  int compared = 0;
  for (const int rows : {4, 16, 32})
    for (const int columns : {4, 32})
      for (const double on_ohm : {1333.0, 10e3, 100e3, 1e6})
        for (const double share : {0.3, 0.8, 1.0})
          for (const double off : {0.0, 0.05}) {
            const Matrix g = random_cells(rows, columns, on_ohm, off / on_ohm, share,
                                          static_cast<unsigned>(rows * columns + compared));
            const Errors errors = compare(g, 2.82);
            EXPECT_LE(errors.error, 0.3 * errors.drop * errors.drop)
                << rows << " x " << columns << ", " << on_ohm << " Ohm, " << share << " not zero";
            EXPECT_GT(errors.drop, 0.0);
            ++compared;
          }
  EXPECT_EQ(compared, 3 * 2 * 4 * 3 * 2);
}

TEST(Wires, TheLargestDropsAreCoveredToo) {
  // All cells on at 1333 Ohm, as in ISAAC's model: two thirds of the far column's current are lost.
  const Errors errors = compare(Matrix::Constant(32, 32, 1.0 / 1333.0), 2.82);
  EXPECT_GT(errors.drop, 0.6);
  EXPECT_LT(errors.error, 0.09);
}

TEST(Wires, EveryCellIsWithinItsBound) {
  const Matrix g = random_cells(32, 32, 10e3, 1e-6, 0.8, 9);
  const double largest = (approximated(g, 2.82) - nodal(g, 2.82)).cwiseAbs().maxCoeff();
  EXPECT_LT(largest * 10e3, 8e-3);
  EXPECT_GT((g - nodal(g, 2.82)).cwiseAbs().maxCoeff() * 10e3, 0.1);
}

TEST(Wires, NoResistanceChangesNothing) {
  const Matrix g = random_cells(8, 8, 10e3, 1e-6, 0.8, 1);
  EXPECT_EQ(approximated(g, 0.0), g);
}

}  // namespace
}  // namespace bitline::device
