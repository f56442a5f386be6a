// SPDX-License-Identifier: Apache-2.0
// Any number of searches run in one process.
#include "sim/adc_search.h"

#include <gmock/gmock.h>

#include <optional>

namespace bitline::sim {
namespace {

using testing::ElementsAre;

TEST(AdcSearch, AnyNumberInOneProcess) {
  const std::string source = std::string(BITLINE_SOURCE_DIR) + "/";
  AdcSearchRequest request;
  request.run.files = {source + "configs/isaac-8bit.yaml", {}, source + "workloads/digits-mlp.onnx", {}};
  request.run.input = source + "workloads/digits-test-x.npy";
  request.run.labels = source + "workloads/digits-test-y.npy";
  request.from = {7};
  request.to = 6;
  std::optional<std::string> first;
  for (const int workers : {1, 2}) {
    request.workers = workers;
    std::int64_t done = 0;
    request.run.progress = [&done](const char*, std::int64_t now, std::int64_t total) {
      EXPECT_GT(now, done);
      EXPECT_LE(now, total);
      done = now;
    };
    const result::AdcSearch found = search_adc_bits(request);
    ASSERT_TRUE(found.best.has_value());
    EXPECT_THAT(found.tried.front().bits, ElementsAre(7, 7, 7, 7));
    EXPECT_GT(done, 5);
    const std::string text = to_json(found);
    EXPECT_EQ(first.value_or(text), text);
    first = text;
  }
}

}  // namespace
}  // namespace bitline::sim
