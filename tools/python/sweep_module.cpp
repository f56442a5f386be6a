// SPDX-License-Identifier: Apache-2.0
#include "tools/python/sweep_module.h"

#include <pybind11/stl.h>

#include <string>
#include <vector>

#include "tools/sweep/results.h"

namespace py = pybind11;

namespace bitline::python {
namespace {

using sweep::Json;

/// Runs f; a user's error becomes a ValueError whose text is the JSON of an answer's "error".
template <class F>
auto guarded(F f) {
  try {
    return f();
  } catch (const base::Error& error) {
    throw py::value_error(oracle::error_json(error.code(), error.what(), error.problems())
                              .dump(-1, ' ', false, Json::error_handler_t::replace));
  }
}

/// A sweep and its folder; who evaluates the points is left to the caller.
class SweepSession {
 public:
  SweepSession(const std::string& file, const std::string& base, const std::string& out,
               std::int64_t max_points, bool keep_results, bool retry_failed)
      : plan_(guarded([&] { return sweep::make_plan(sweep::read_spec(file, base), max_points); })),
        store_(guarded([&] {
          return std::make_unique<sweep::Store>(plan_, sweep::StoreOptions{out, keep_results, retry_failed});
        })) {}

  [[nodiscard]] std::vector<std::string> points() const {
    std::vector<std::string> ids;
    for (const sweep::Point& point : plan_.points) ids.push_back(point.id);
    return ids;
  }
  /// (number from 1, whether it is a simulation)
  [[nodiscard]] std::vector<std::pair<std::size_t, bool>> pending() const {
    std::vector<std::pair<std::size_t, bool>> found;
    for (const std::size_t p : store_->pending())
      found.emplace_back(p + 1, sweep::run_of(plan_.spec, plan_.points[p]).mode != sim::Mode::analytic);
    return found;
  }
  /// A line of `bitline sweep --points`, of the point with this number.
  void add(std::size_t number, const std::string& line) {
    guarded([&] {
      sweep::Outcome outcome{Json::parse(line), ""};
      if (outcome.record.contains("result")) {
        outcome.result = outcome.record["result"].get<std::string>();
        outcome.record.erase("result");
      }
      store_->add(number - 1, outcome);
      store_->commit_if_due();
    });
  }
  void commit() {
    guarded([&] { store_->commit(); });
  }
  /// Writes the results; their JSON.
  [[nodiscard]] std::string finish(const std::vector<std::string>& objectives, const std::string& reports) {
    return guarded([&] {
      store_->commit();
      const sweep::Front front = sweep::front_of(plan_, store_->records(), objectives);
      sweep::write_reports(plan_, *store_, front,
                           reports == "all"     ? sweep::Reports::all
                           : reports == "front" ? sweep::Reports::front
                                                : sweep::Reports::none);
      sweep::write_results(plan_, *store_, front);
      return sweep::results_json(plan_, store_->records(), front);
    });
  }

 private:
  sweep::Plan plan_;
  std::unique_ptr<sweep::Store> store_;
};

}  // namespace

void add_sweep(py::module_& module) {
  py::class_<SweepSession>(module, "SweepSession")
      .def(py::init<std::string, std::string, std::string, std::int64_t, bool, bool>(), py::arg("file"),
           py::arg("base"), py::arg("out"), py::arg("max_points"), py::arg("keep_results"),
           py::arg("retry_failed"))
      .def("points", &SweepSession::points)
      .def("pending", &SweepSession::pending)
      .def("add", &SweepSession::add)
      .def("commit", &SweepSession::commit)
      .def("finish", &SweepSession::finish);
  module.attr("most_sweep_points") = sweep::kMostPoints;
}

}  // namespace bitline::python
