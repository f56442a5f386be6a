// SPDX-License-Identifier: Apache-2.0
// Figures of a run as PDF and SVG, drawn by matplotlib in a process of its own. The script is part of the
// binary, so it is found wherever the program is.
#pragma once

#include <string>
#include <vector>

namespace bitline::paper {

struct FigureRequest {
  std::string run;       ///< result.json
  std::string baseline;  ///< result.json; empty: none
  std::string folder;    ///< which is there
  bool wide = false;     ///< two columns (7.16 in) instead of one (3.5 in)
};

/// Draws the figures that the result has data for and returns their names ("energy-layers": energy-layers.pdf
/// and .svg). The interpreter is $BITLINE_PYTHON, else the first of python3 in $PATH and /usr/bin/python3
/// that has matplotlib. Throws base::UsageError where there is none, saying what to install, or a file cannot
/// be written.
[[nodiscard]] std::vector<std::string> draw_figures(const FigureRequest& request);

/// The text of figures.py.
[[nodiscard]] const char* figures_script();

}  // namespace bitline::paper
