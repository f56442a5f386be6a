// SPDX-License-Identifier: Apache-2.0
// What a refused call says.
#pragma once

#include <gtest/gtest.h>

#include <string>

namespace bitline::testing_support {

/// The message of the `Error` that `call` throws. A call that returns fails the test; any other exception
/// leaves.
template <class Error, class Call>
std::string refusal(const Call& call) {
  try {
    static_cast<void>(call());
  } catch (const Error& error) {
    return error.what();
  }
  ADD_FAILURE() << "the call was not refused";
  return {};
}

}  // namespace bitline::testing_support
