// SPDX-License-Identifier: Apache-2.0
#include "models/ima/transaction_ima.h"

#include "models/ima/ima_function.h"

namespace bitline::ima {

namespace {

void notify_at(sc_core::sc_event& event, base::Time time) {
  event.notify(base::to_sc(time - base::now()));
}

}  // namespace

TransactionIma::TransactionIma(const sc_core::sc_module_name& name, const ImaTimingParams& timing,
                               const ImaPlan* plan)
    : ImaModule(name), timing_(timing), plan_(plan) {
  SC_HAS_PROCESS(TransactionIma);
  SC_METHOD(free_inputs);
  sensitive << free_event_;
  dont_initialize();
  SC_METHOD(offer_results);
  sensitive << ready_event_;
  dont_initialize();
}

void TransactionIma::load(std::span<const std::int32_t> x) {
  if (plan_ != nullptr) values_.push_back(functional_mvm(*plan_, x, actions_));
  timing_.loaded(base::now());
  advance();
}

void TransactionIma::drained() {
  timing_.drained(base::now());
  advance();
}

void TransactionIma::advance() {
  while (const auto reads = timing_.next_reads()) {
    read_time_ += reads->last_latch - reads->first_read;
    client->timed(*reads);
    frees_.push_back(reads->last_latch);
    if (frees_.size() == 1) notify_at(free_event_, reads->last_latch);
  }
  while (const auto ready = timing_.next_results()) {
    ready_.push_back(*ready);
    if (ready_.size() == 1) notify_at(ready_event_, *ready);
  }
}

void TransactionIma::free_inputs() {
  frees_.pop_front();
  if (!frees_.empty()) notify_at(free_event_, frees_.front());
  client->input_free();
}

void TransactionIma::offer_results() {
  ready_.pop_front();
  if (!ready_.empty()) notify_at(ready_event_, ready_.front());
  std::vector<std::int64_t> values;
  if (plan_ != nullptr) {
    values = std::move(values_.front());
    values_.pop_front();
  }
  client->results_ready(values);
}

}  // namespace bitline::ima
