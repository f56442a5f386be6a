// SPDX-License-Identifier: Apache-2.0
#include "tools/sweep/table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "models/base/errors.h"
#include "tools/sweep/progress.h"
#include "tools/sweep/run.h"

namespace bitline::sweep {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// A plan of one axis, as long as the values.
Plan plan_of(std::size_t points) {
  Plan plan;
  Axis axis{.name = "crossbar.read_latency", .where = "", .kind = {"time", base::Dimension::time}};
  for (std::size_t p = 0; p < points; ++p) {
    const double ns = 10 + static_cast<double>(p);
    plan.points.push_back({"000" + std::to_string(p + 1), {axis.value(ns * 1e-9)}});
  }
  plan.spec.axes.push_back(std::move(axis));
  return plan;
}

Json figures(double energy, double latency) {
  Json json = figures_json(result::Result());
  json["energy_j"] = energy;
  json["latency_s"] = latency;
  return json;
}

Records records_of(const Plan& plan, const std::vector<std::pair<double, double>>& values) {
  Records records(plan.points.size());
  for (std::size_t p = 0; p < values.size(); ++p)
    records[p] = Json{{"point", plan.points[p].id}, {"figures", figures(values[p].first, values[p].second)}};
  return records;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

TEST(Table, CsvHasARowPerPointWithSiUnitsAndErrors) {
  const Plan plan = plan_of(3);
  Records records = records_of(plan, {{2e-6, 1e-4}, {1.1e-6, 3e-4}});
  records[2] = failed_record(plan.points[2], base::ExitCode::mapping, "too large,\nby \"far\"");
  const Front front = find_front(records, {"energy_j", "latency_s"});
  const std::vector<std::string> lines = lines_of(results_csv(plan, records, front));
  ASSERT_EQ(lines.size(), 4);
  EXPECT_THAT(lines[0], ::testing::StartsWith("point,crossbar.read_latency_s,latency_s,"));
  EXPECT_THAT(lines[0], ::testing::EndsWith(",front,error_kind,error"));
  EXPECT_THAT(lines[1], ::testing::StartsWith("0001,1e-08,0.0001,"));
  EXPECT_THAT(lines[1], ::testing::EndsWith(",1,,"));
  EXPECT_THAT(lines[3], ::testing::EndsWith(R"(,,mapping,"too large, by ""far""")"));
  const Json json = Json::parse(results_json(plan, records, front));
  EXPECT_EQ(json["points"][1]["figures"]["energy_j"], 1.1e-6);
  EXPECT_EQ(json["points"][2]["error"]["kind"], "mapping");
  EXPECT_EQ(json["points"][0]["axes"]["crossbar.read_latency"], "10 ns");
}

TEST(Table, TextMarksTheFrontWithin80Columns) {
  Plan plan = plan_of(3);
  for (int a = 0; a < 9; ++a) {
    plan.spec.axes.push_back({.name = "section.of.some.long.key_" + std::to_string(a)});
    for (Point& point : plan.points)
      point.settings.push_back(std::make_shared<const Setting>(Setting{.text = "some value"}));
  }
  const Records records = records_of(plan, {{2e-6, 1e-4}, {1e-6, 3e-4}, {3e-6, 3e-4}});
  const std::string text = results_text(plan, records, find_front(records, {"energy_j", "latency_s"}));
  const std::vector<std::string> lines = lines_of(text);
  for (const std::string& line : lines) EXPECT_LE(line.size(), 80) << line;
  EXPECT_THAT(lines[1], ::testing::StartsWith("  *  0002"));  // by energy
  EXPECT_THAT(lines[2], ::testing::StartsWith("  *  0001"));
  EXPECT_THAT(lines[3], ::testing::StartsWith("     0003"));
  EXPECT_THAT(text, HasSubstr("2 of 3 points: least energy_j, least latency_s"));
  EXPECT_THAT(text, HasSubstr("more columns are in results.csv"));
}

TEST(Table, ManyObjectivesAndLongErrorsFitToo) {
  const Plan plan = plan_of(3);
  Records records = records_of(plan, {{2e-6, 1e-4}, {1e-6, 3e-4}});
  records[2] = failed_record(plan.points[2], base::ExitCode::config, std::string(300, 'x'));
  std::vector<std::string> objectives;
  for (const char* name :
       {"energy_j", "latency_s", "area_mm2", "power_w", "tops", "throughput_ips", "cell_utilization"})
    objectives.emplace_back(name);
  for (const std::string& line : lines_of(results_text(plan, records, find_front(records, objectives))))
    EXPECT_LE(line.size(), 80) << line;
}

TEST(Table, OfManyPointsTheFrontIsShown) {
  const Plan plan = plan_of(100);
  std::vector<std::pair<double, double>> values;
  for (int p = 0; p < 100; ++p) values.emplace_back(1 + p, p < 10 ? 100 - p : 200);
  const Records records = records_of(plan, values);
  const std::string text = results_text(plan, records, find_front(records, {"energy_j", "latency_s"}));
  EXPECT_THAT(text, HasSubstr("10 of 100 points"));
  EXPECT_THAT(text, HasSubstr("90 more points are in results.csv"));
}

TEST(Table, SaysWhatFailed) {
  const Plan plan = plan_of(2);
  Records records(2);
  records[0] = lost_record(plan.points[0], true, 2.5, 0);
  records[1] = lost_record(plan.points[1], false, 0, 11);
  const std::string text = results_text(plan, records, find_front(records, {}));
  EXPECT_THAT(text, HasSubstr("No point has results"));
  EXPECT_THAT(text, HasSubstr("2 of 2 points failed"));
  EXPECT_THAT(text, HasSubstr("0001  timeout: --timeout: 2.5 s were up"));
  EXPECT_THAT(text, HasSubstr("0002  simulation: its process was ended by signal 11"));
}

TEST(Front, MayMaximiseAndNeedsTwoFiguresThatPointsHave) {
  const Plan plan = plan_of(2);
  const Records records = records_of(plan, {{2, 1}, {1, 1}});
  EXPECT_EQ(find_front(records, {"energy_j", "latency_s"}).is_member, (std::vector<bool>{false, true}));
  EXPECT_EQ(find_front(records, {"max:energy_j", "latency_s"}).is_member, (std::vector<bool>{true, false}));
  EXPECT_THROW((void)find_front(records, {"energy_j", "top1"}), base::UsageError);
  EXPECT_THROW((void)find_front(records, {"energy_j"}), base::UsageError);
  EXPECT_THROW((void)find_front(records, {"energy_j", "energy_j"}), base::UsageError);
}

TEST(Figures, HaveTheirUnitsAndValues) {
  result::Result r;
  r.latency = {1, 2, 3};
  r.energy.total = 5;
  r.accuracy = result::Accuracy{.top1 = 0.5, .top5 = 0.75, .float_top1 = 0.6, .images = 4, .confusion = {}};
  const Json json = figures_json(r);
  EXPECT_EQ(json["interval_s"], 2);
  EXPECT_EQ(json["edp_js"], 5);
  EXPECT_EQ(json["top1"], 0.5);
  EXPECT_TRUE(json["tops_per_w"].is_null());
}

TEST(ProgressLine, TellsWhatIsLeft) {
  EXPECT_EQ(progress_line({.finished = 250, .failed = 2, .total = 1000, .before = 150, .elapsed_s = 60}),
            "[#####               ] 250/1000 points, 2 failed, 0:07:30 left");
  EXPECT_THAT(progress_line({.finished = 0, .total = 10}), Not(HasSubstr("left")));
  EXPECT_EQ(clock_text(3723), "1:02:03");
  EXPECT_LE(
      progress_line({.finished = 99'999'998, .failed = 99'999'998, .total = 100'000'000, .elapsed_s = 1e9})
          .size(),
      79);
}

}  // namespace
}  // namespace bitline::sweep
