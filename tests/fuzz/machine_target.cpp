// SPDX-License-Identifier: Apache-2.0
// A machine in YAML and overrides (lines after the first NUL byte). What is accepted has costs, and reads
// back as itself from its resolved form.
#include <cmath>
#include <sstream>
#include <string>
#include <vector>

#include "models/arch/arch_loader.h"
#include "models/arch/costs.h"
#include "models/base/errors.h"
#include "tests/fuzz/target.h"

namespace {

using namespace bitline;

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> result;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) result.push_back(line);
  return result;
}

void use(const arch::LoadedArch& loaded) {
  const std::string resolved = arch::resolved_yaml(loaded);
  const arch::LoadedArch again = arch::parse_arch(resolved, "resolved.yaml", {});
  BITLINE_CHECK(arch::resolved_yaml(again) == resolved);
  const arch::CostModel costs(loaded.arch, arch::built_adc_bits(loaded.arch).value_or(std::vector<int>{8}));
  BITLINE_CHECK(!std::isnan(costs.chip_area().total().value()));
  BITLINE_CHECK(!std::isnan(costs.chip_power().total().value()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string input(reinterpret_cast<const char*>(data), size);
  const std::size_t end = input.find('\0');
  const std::string overrides = end == std::string::npos ? "" : input.substr(end + 1);
  try {
    use(arch::parse_arch(input.substr(0, end), "machine.yaml", lines(overrides)));
  } catch (const base::ConfigError& error) {
    BITLINE_CHECK(!error.problems().empty());
  }
  return 0;
}
