// SPDX-License-Identifier: Apache-2.0
// What ADC resolutions cost and give: settings that were tried, and the cheapest that keeps the accuracy.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace bitline::result {

inline constexpr const char* kAdcSchema = "bitline.adc/1";

/// One number of bits per slice, most significant first, and what came of it.
struct AdcSetting {
  std::vector<int> bits;
  int step = 0;        ///< of the search, from 1; 0: all slices alike
  bool keeps = false;  ///< its accuracy is within the loss allowed
  bool taken = false;  ///< the search went on from it
  double top1 = 0;
  double clipped_share = 0;                                      ///< of the conversions of all images
  double energy = 0;                                             ///< J per streamed image
  double area = 0;                                               ///< mm2 of the chip
  double latency = 0;                                            ///< s of an image
  [[nodiscard]] double edp() const { return energy * latency; }  ///< J s
};

struct AdcSearch {
  std::string network;  ///< file as given
  std::string arch;     ///< file as given
  std::int64_t images = 0;
  std::int64_t images_streamed = 0;
  double lossless_top1 = 0;  ///< of the same chip with converters that never clip
  double float_top1 = 0;
  double max_loss = 0;              ///< allowed, in percentage points of lossless_top1
  std::string objective;            ///< "energy", "edp", "area" or "latency"
  std::vector<int> slice_widths;    ///< of the machine, most significant first
  std::vector<AdcSetting> tried;    ///< in order; equal bits once for the sweep and once for the search
  std::optional<std::size_t> best;  ///< index in `tried`; none: no setting keeps the accuracy
};

/// "5/6/6/6".
[[nodiscard]] std::string joined_bits(const std::vector<int>& bits);
/// What `bitline adc` prints: the sweep, the steps of the search, the cheapest setting beside the first.
[[nodiscard]] std::string report(const AdcSearch& search);
/// One row per setting, doubles with round-trip precision.
[[nodiscard]] std::string to_csv(const AdcSearch& search);
/// "bitline.adc/1".
[[nodiscard]] std::string to_json(const AdcSearch& search);

}  // namespace bitline::result
