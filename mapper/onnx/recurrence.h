// SPDX-License-Identifier: Apache-2.0
// What LSTM, GRU and RNN nodes say, checked.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "mapper/onnx/node_context.h"

namespace bitline::onnx {

enum class Cell { rnn, gru, lstm };

/// An activation of a cell; `name` in lower case.
struct Activation {
  std::string name;
  float alpha = 0.0F, beta = 0.0F;
};

struct Recurrence {
  Cell cell = Cell::rnn;
  std::int64_t steps = 0, batch = 0, inputs = 0, hidden = 0;
  std::int64_t directions = 1;
  bool backward = false;     ///< the only direction is the reverse one
  bool batch_first = false;  ///< layout = 1: batch before steps, and before directions
  bool reset_after = false;  ///< GRU, linear_before_reset: the reset gate acts on the product
  bool coupled = false;      ///< LSTM, input_forget: f = 1 - i
  bool has_peepholes = false;
  float clip = 0.0F;                    ///< of what the activations get; 0: none
  std::vector<Activation> activations;  ///< of all directions, one after another
  std::vector<std::int64_t> lengths;    ///< by sequence of the batch; empty: all have all steps

  [[nodiscard]] std::int64_t gates() const { return cell == Cell::lstm ? 4 : cell == Cell::gru ? 3 : 1; }
  [[nodiscard]] bool reverse(std::int64_t direction) const { return backward || direction == 1; }
};

/// Attributes, shapes and sequence lengths of the node. At most 4096 steps.
[[nodiscard]] Recurrence read_recurrence(NodeContext& node, Cell cell);

/// The matrices of one direction. All biases are in `input` except that of a GRU's product that is reset.
struct RecurrentWeights {
  graph::LinearAttributes input;
  std::vector<graph::LinearAttributes> recurrent;  ///< two where a GRU resets before the product
};
[[nodiscard]] RecurrentWeights read_recurrent_weights(NodeContext& node, const Recurrence& r,
                                                      std::int64_t direction);

}  // namespace bitline::onnx
