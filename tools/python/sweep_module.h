// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pybind11/pybind11.h>

namespace bitline::python {

/// Adds SweepSession to the module.
void add_sweep(pybind11::module_& module);

}  // namespace bitline::python
