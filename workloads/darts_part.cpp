// SPDX-License-Identifier: Apache-2.0
#include "workloads/darts_part.h"

#include <string>

#include "models/base/errors.h"
#include "workloads/darts_layers.h"
#include "workloads/model.h"

namespace bitline::workloads {
namespace {

class PartModel {
 public:
  explicit PartModel(const DartsPart& part)
      : part_(part),
        model_("part", 1, {part.channels_in, part.resolution, part.resolution}),
        layers_(model_, part.channels_out) {}

  std::string bytes() {
    const std::string made = build();
    const std::int64_t out = part_.channels_out, side = part_.resolution;
    if (!first_source_.empty())
      model_.output("aside", model_.conv("aside", first_source_, pointwise(part_.channels_in, 1)),
                    {1, side, side});
    if (part_.kind == DartsPartKind::classifier) return model_.finish(made, out);
    const std::int64_t made_channels = part_.kind == DartsPartKind::nothing  ? part_.channels_in
                                       : part_.kind == DartsPartKind::concat ? 4 * out
                                                                             : out;
    const bool halves = part_.stride == 2 || part_.kind == DartsPartKind::preprocess_halved;
    model_.output("output", model_.conv("sink", made, pointwise(made_channels, out)),
                  {out, halves ? side / 2 : side, halves ? side / 2 : side});
    return model_.bytes();
  }

 private:
  static Conv pointwise(std::int64_t in, std::int64_t out) {
    Conv conv{in, out};
    conv.bias = false;
    return conv;
  }

  std::string source(int index = 0) {
    const std::string name = "source" + std::to_string(index);
    std::string state = model_.conv(name, model_.input(), pointwise(part_.channels_in, part_.channels_in));
    if (index == 0) first_source_ = state;
    return state;
  }

  std::string build() {
    switch (part_.kind) {
      case DartsPartKind::nothing:
        return source();
      case DartsPartKind::operation:
        return operation(source());
      case DartsPartKind::stem:
        return stem();
      case DartsPartKind::preprocess:
        return layers_.relu_conv_bn("part", source(), part_.channels_in);
      case DartsPartKind::preprocess_halved:
        return layers_.factorized_reduce("part", source(), part_.channels_in, kPreprocessGain);
      case DartsPartKind::add:
        return model_.add("part", source(0), source(1));
      case DartsPartKind::concat:
        return model_.concat("part", {source(0), source(1), source(2), source(3)});
      case DartsPartKind::classifier:
        break;
    }
    const std::string x =
        model_.flatten("part.flatten", model_.global_average_pool("part.pooling", source()));
    return model_.linear("part.classifier", x, part_.channels_in, part_.channels_out);
  }

  std::string operation(const std::string& x) {
    return layers_.operation(part_.operation, "part", x, part_.stride,
                             [&] { return model_.relu("part.relu", x); });
  }

  std::string stem() {
    Conv conv{3, part_.channels_out, 3, 1, 1};
    conv.bias = false;
    return model_.batch_norm("part.bn", model_.conv("part", model_.input(), conv), part_.channels_out);
  }

  const DartsPart& part_;
  Model model_;
  DartsLayers<Model> layers_;
  std::string first_source_;
};

}  // namespace

std::string make_darts_part(const DartsPart& part) {
  return PartModel(part).bytes();
}

}  // namespace bitline::workloads
