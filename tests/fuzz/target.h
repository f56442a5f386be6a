// SPDX-License-Identifier: Apache-2.0
// What every fuzz target has. Names and types are those of libFuzzer.
#pragma once

#include <cstddef>
#include <cstdint>

/// Gives the bytes to the code under test. Bad input is refused with a base::Error, which the target catches;
/// whatever else leaves it (an exception, a signal, a sanitizer's report) is a bug.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
