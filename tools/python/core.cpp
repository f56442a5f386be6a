// SPDX-License-Identifier: Apache-2.0
// The module bitline._core: the oracle of tools/oracle, asked with JSON text. Everything that a person sees
// is Python.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "tools/oracle/oracle.h"
#include "tools/python/sweep_module.h"
#include "workloads/genotype.h"

namespace py = pybind11;
using bitline::oracle::Cache;
using bitline::oracle::error_json;
using bitline::oracle::Json;
using bitline::oracle::Oracle;
using bitline::oracle::read_request;
using bitline::oracle::Request;

namespace {

/// A request as JSON text, with the bytes of its network where it has no file; the answer as JSON text. Other
/// Python threads run meanwhile.
std::string answer(Oracle& oracle, const std::string& text, const std::optional<py::bytes>& network) {
  std::string bytes = network ? static_cast<std::string>(*network) : std::string();
  const py::gil_scoped_release release;
  Json answered = Json::object();
  try {
    Request request = read_request(Json::parse(text), {});
    request.network.bytes = std::move(bytes);
    answered = oracle.answer(request);
  } catch (const bitline::base::Error& error) {
    answered["error"] = error_json(error.code(), error.what(), error.problems());
  } catch (const std::exception& error) {
    answered["error"] = error_json(bitline::base::ExitCode::usage, error.what(), {});
  }
  return answered.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// The cells of a published genotype as JSON text.
std::string published_genotype(const std::string& name) {
  const bitline::workloads::Genotype genotype = bitline::workloads::load_genotype(name);
  Json json = Json::object();
  for (const auto& [kind, cell] :
       {std::pair{"normal", &genotype.normal}, std::pair{"reduce", &genotype.reduce}})
    for (const bitline::workloads::CellEdge& edge : cell->edges)
      json[kind].push_back(Json::array({edge.op, edge.input}));
  return json.dump();
}

}  // namespace

/// Shows a warning where Python shows its own; any thread.
void warn(const std::string& text) {
  const py::gil_scoped_acquire acquire;
  if (PyErr_WarnEx(PyExc_RuntimeWarning, text.c_str(), 1) != 0) throw py::error_already_set();
}

/// Errors of the cache as the text of a ValueError, in JSON.
std::unique_ptr<Oracle> make_oracle(std::string program, const std::optional<std::string>& cache) {
  if (!cache) return std::make_unique<Oracle>(std::move(program));
  try {
    return std::make_unique<Oracle>(std::move(program), std::make_shared<Cache>(*cache, warn));
  } catch (const bitline::base::Error& error) {
    throw py::value_error(error_json(error.code(), error.what(), error.problems()).dump());
  }
}

PYBIND11_MODULE(_core, m) {
  m.doc() = "Costs of networks on ReRAM accelerators: requests and answers as JSON text.";
  m.attr("version") = bitline::result::version();
  m.def("published_genotype", &published_genotype, py::arg("name"), "Its cells as JSON text");
  py::class_<Oracle>(m, "Oracle")
      .def(py::init(&make_oracle), py::arg("program"), py::arg("cache") = py::none(),
           "program: the bitline executable that simulates; cache: a file of kept costs")
      .def("answer", &answer, py::arg("request"), py::arg("network") = py::none());
  bitline::python::add_sweep(m);
}
