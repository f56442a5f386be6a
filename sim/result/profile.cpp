// SPDX-License-Identifier: Apache-2.0
#include "sim/result/profile.h"

#include <fmt/format.h>

#include "sim/result/text.h"

namespace bitline::result {

std::string profile_table(const Profile& profile) {
  double total = 0;
  for (const Profile::Phase& phase : profile.phases) total += phase.seconds;
  Table table({"phase", "wall time", "share"}, 1);
  const auto row = [&](const std::string& name, double seconds) {
    table.add({name, si(seconds, "s"), percent(total > 0 ? seconds / total : 0)});
  };
  for (const Profile::Phase& phase : profile.phases) row(phase.name, phase.seconds);
  row("total", total);
  std::string out = "Profile\n" + table.str();
  out += fmt::format("  {} events", count(profile.events));
  if (profile.kernel_s > 0)
    out += fmt::format(", {}", si(static_cast<double>(profile.events) / profile.kernel_s, "events/s"));
  return out + "\n";
}

}  // namespace bitline::result
