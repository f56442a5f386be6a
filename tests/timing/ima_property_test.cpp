// SPDX-License-Identifier: Apache-2.0
// The two IMAs are the same machine: on random configurations, weights, inputs and handshake delays the
// structural one and the transaction-level one agree in every time, every result and every action count.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "models/ima/structural_ima.h"
#include "models/ima/transaction_ima.h"
#include "tests/timing/random_ima.h"

namespace bitline::timing_test {
namespace {

struct Pair {
  ImaCase test;
  std::unique_ptr<ima::StructuralIma> structural;
  std::unique_ptr<ima::TransactionIma> transaction;
  std::unique_ptr<ImaDriver> structural_driver;
  std::unique_ptr<ImaDriver> transaction_driver;
};

std::unique_ptr<Pair> make_pair(int index, std::mt19937& random) {
  auto pair = std::make_unique<Pair>();
  pair->test = random_case(random);
  const auto name = [&](const char* part) { return part + std::to_string(index); };
  const ImaCase& test = pair->test;
  const int buffers = test.params.ima.input_register.buffers;
  pair->structural = std::make_unique<ima::StructuralIma>(name("structural").c_str(), test.params, test.plan);
  pair->transaction = std::make_unique<ima::TransactionIma>(
      name("transaction").c_str(), timing_params(test.plan, test.params), &test.plan);
  pair->structural_driver =
      std::make_unique<ImaDriver>(name("driver_s").c_str(), *pair->structural, buffers, test.mvms);
  pair->transaction_driver =
      std::make_unique<ImaDriver>(name("driver_t").c_str(), *pair->transaction, buffers, test.mvms);
  return pair;
}

TEST(ImaProperty, StructuralAndTransactionLevelAreEqual) {
  sc_core::sc_set_time_resolution(1, sc_core::SC_FS);
  std::mt19937 random(20161005);
  std::vector<std::unique_ptr<Pair>> pairs;
  for (int i = 0; i < 500; ++i) pairs.push_back(make_pair(i, random));
  sc_core::sc_start();
  std::int64_t conversions = 0, clipped = 0, gated = 0, drain_bound = 0;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    SCOPED_TRACE("case " + std::to_string(i));
    const Pair& pair = *pairs[i];
    ASSERT_EQ(pair.structural_driver->log.drained.size(), pair.test.mvms.size());
    EXPECT_EQ(pair.structural_driver->log.loaded, pair.transaction_driver->log.loaded);
    EXPECT_EQ(pair.structural_driver->log.input_free, pair.transaction_driver->log.input_free);
    EXPECT_EQ(pair.structural_driver->log.ready, pair.transaction_driver->log.ready);
    EXPECT_EQ(pair.structural_driver->log.drained, pair.transaction_driver->log.drained);
    EXPECT_EQ(pair.structural_driver->log.values, pair.transaction_driver->log.values);
    const base::ActionCounts actions = pair.structural->actions();
    EXPECT_EQ(pair.structural->read_time(), pair.transaction->read_time());
    EXPECT_EQ(actions.counts, pair.transaction->actions().counts);
    EXPECT_EQ(actions, pair.transaction->actions());
    conversions += actions.total_conversions();
    clipped += actions.clipped;
    gated += actions.gated;
    const Log& log = pair.structural_driver->log;
    const auto buffers = static_cast<std::size_t>(pair.test.params.ima.output_register.buffers);
    for (std::size_t m = buffers; m < log.ready.size(); ++m) {
      const base::Time after_drain = log.drained[m - buffers] + pair.test.params.ima.output_register.latency;
      drain_bound += log.ready[m] == after_drain ? 1 : 0;
    }
  }
  // The cases do cover what they are for.
  EXPECT_GT(conversions, 100'000);
  EXPECT_GT(clipped, 1'000);
  EXPECT_GT(gated, 1'000);
  EXPECT_GT(drain_bound, 50);
}

}  // namespace
}  // namespace bitline::timing_test
