// SPDX-License-Identifier: Apache-2.0
#include "models/ima/ima_module.h"

namespace bitline::ima {

ImaModule::ImaModule(const sc_core::sc_module_name& name) : sc_core::sc_module(name) {}

}  // namespace bitline::ima
