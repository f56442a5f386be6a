// SPDX-License-Identifier: Apache-2.0
#include "sim/provenance.h"

#include <string>

#include "sim/result/sha256.h"

namespace bitline::sim {

void add_files(const MappingRequest& files, const arch::LoadedArch& machine, result::Provenance& provenance) {
  provenance.network = files.network;
  if (!files.network.empty()) provenance.network_sha256 = result::sha256_of_file(files.network);
  provenance.arch = files.arch;
  provenance.overrides = files.overrides;
  add_constants(machine, provenance);
}

void add_constants(const arch::LoadedArch& machine, result::Provenance& provenance) {
  std::string resolved;
  for (const arch::ConstantSource& c : machine.constants) {
    provenance.config.push_back({c.key, c.value, c.source});
    resolved.append(c.key).append("=").append(c.value).append("\n");
  }
  provenance.config_sha256 = result::sha256(resolved);
}

}  // namespace bitline::sim
