// SPDX-License-Identifier: Apache-2.0
#include "models/ima/ima_module.h"

/// SystemC's library refers to this entry point even where the program has a main() of its own.
int sc_main(int /*argc*/, char** /*argv*/) {
  return 0;
}

namespace bitline::ima {

ImaModule::ImaModule(const sc_core::sc_module_name& name) : sc_core::sc_module(name) {}

}  // namespace bitline::ima
