// SPDX-License-Identifier: Apache-2.0
#include "workloads/networks.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "mapper/onnx/import.h"
#include "models/base/errors.h"
#include "workloads/darts.h"
#include "workloads/mobile.h"
#include "workloads/model.h"

namespace bitline::workloads {

namespace {

using Integers = std::vector<std::int64_t>;

std::string make_mlp(const std::string& name, Seed seed) {
  Model model(name, seed, {784});
  std::string x = model.relu("relu1", model.linear("fc1", model.input(), 784, 100));
  return model.finish(model.linear("fc2", x, 100, 10), 10);
}

/// LeCun et al., Proc. IEEE 1998, with ReLU and max pooling; 28x28 inputs are padded to its 32x32.
std::string make_lenet5(const std::string& name, Seed seed) {
  Model model(name, seed, {1, 28, 28});
  std::string x = model.relu("relu1", model.conv("conv1", model.input(), {1, 6, 5, 1, 2}));
  x = model.max_pool("pool1", x, 2, 2);
  x = model.relu("relu2", model.conv("conv2", x, {6, 16, 5}));
  x = model.flatten("flatten", model.max_pool("pool2", x, 2, 2));
  x = model.relu("relu3", model.linear("fc1", x, 400, 120));
  x = model.relu("relu4", model.linear("fc2", x, 120, 84));
  return model.finish(model.linear("fc3", x, 84, 10), 10);
}

/// Refuses images that the network cannot halve as often as it does.
void require_multiple(const std::string& name, const ImageShape& image, std::int64_t factor) {
  if (image.resolution % factor == 0) return;
  throw base::UsageError({"workload " + name, "resolution " + std::to_string(image.resolution),
                          "a multiple of " + std::to_string(factor), ""});
}

/// Eight layers for CIFAR-10: six padded convolutions in three pairs, one of 4x4 pixels without padding, one
/// fully connected.
std::string make_vgg8(const std::string& name, Seed seed, const ImageShape& image) {
  require_multiple(name, image, 8);
  Model model(name, seed, {3, image.resolution, image.resolution});
  std::string x = model.input();
  std::int64_t channels = 3;
  for (int i = 1; i <= 6; ++i) {
    const std::int64_t out = 128 << ((i - 1) / 2);
    const std::string number = std::to_string(i);
    x = model.relu("relu" + number, model.conv("conv" + number, x, {channels, out, 3, 1, 1}));
    channels = out;
    if (i % 2 == 0) x = model.max_pool("pool" + std::to_string(i / 2), x, 2, 2);
  }
  x = model.relu("relu7", model.conv("conv7", x, {512, 1024, 3}));
  x = model.flatten("flatten", model.max_pool("pool4", x, 2, 2));
  const std::int64_t side = (image.resolution / 8 - 2) / 2;
  return model.finish(model.linear("fc", x, 1024 * side * side, image.classes), image.classes);
}

/// Simonyan and Zisserman, ICLR 2015; 0 stands for a pooling. Names count the layers as PyTorch's `features`
/// does.
std::string make_vgg(const std::string& name, Seed seed, const ImageShape& image, const Integers& layers) {
  require_multiple(name, image, 32);
  Model model(name, seed, {3, image.resolution, image.resolution});
  std::string x = model.input();
  std::int64_t channels = 3;
  int position = 0;
  const auto next = [&] { return "features." + std::to_string(position++); };
  for (const std::int64_t out : layers) {
    if (out == 0) {
      x = model.max_pool(next(), x, 2, 2);
      continue;
    }
    x = model.conv(next(), x, {channels, out, 3, 1, 1});
    x = model.relu(next(), x);
    channels = out;
  }
  x = model.flatten("flatten", x);
  const std::int64_t side = image.resolution / 32;
  x = model.relu("classifier.1", model.linear("classifier.0", x, 512 * side * side, 4096));
  x = model.relu("classifier.4", model.linear("classifier.3", x, 4096, 4096));
  return model.finish(model.linear("classifier.6", x, 4096, image.classes), image.classes);
}

std::string make_vgg11(const std::string& name, Seed seed, const ImageShape& image) {
  return make_vgg(name, seed, image, {64, 0, 128, 0, 256, 256, 0, 512, 512, 0, 512, 512, 0});
}

std::string make_vgg16(const std::string& name, Seed seed, const ImageShape& image) {
  return make_vgg(name, seed, image,
                  {64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0});
}

/// The scale of the last normalisation of a block: well below 1, as training leaves it, so that the sum over
/// many blocks does not grow.
constexpr float kResidualGain = 0.3F;

struct Block {
  std::int64_t in = 0, width = 0, out = 0, stride = 1;
};

std::string conv_bn(Model& model, const std::string& conv, const std::string& bn, const std::string& x,
                    Conv shape, float gain = 1.0F) {
  shape.bias = false;
  return model.batch_norm(bn, model.conv(conv, x, shape), shape.out, gain);
}

std::string shortcut(Model& model, const std::string& name, const std::string& x, const Block& b) {
  if (b.stride == 1 && b.in == b.out) return x;
  return conv_bn(model, name + ".downsample.0", name + ".downsample.1", x, {b.in, b.out, 1, b.stride});
}

std::string basic_block(Model& model, const std::string& name, const std::string& x, const Block& b) {
  std::string y = conv_bn(model, name + ".conv1", name + ".bn1", x, {b.in, b.width, 3, b.stride, 1});
  y = model.relu(name + ".relu1", y);
  y = conv_bn(model, name + ".conv2", name + ".bn2", y, {b.width, b.out, 3, 1, 1}, kResidualGain);
  return model.relu(name + ".relu2", model.add(name + ".add", y, shortcut(model, name, x, b)));
}

/// With the stride in the 3x3 convolution ("v1.5"), as in common use.
std::string bottleneck_block(Model& model, const std::string& name, const std::string& x, const Block& b) {
  std::string y = conv_bn(model, name + ".conv1", name + ".bn1", x, {b.in, b.width, 1});
  y = model.relu(name + ".relu1", y);
  y = conv_bn(model, name + ".conv2", name + ".bn2", y, {b.width, b.width, 3, b.stride, 1});
  y = model.relu(name + ".relu2", y);
  y = conv_bn(model, name + ".conv3", name + ".bn3", y, {b.width, b.out, 1}, kResidualGain);
  return model.relu(name + ".relu3", model.add(name + ".add", y, shortcut(model, name, x, b)));
}

struct ResNet {
  std::int64_t width = 64;     ///< of the first stage; doubles with each
  Integers blocks;             ///< per stage
  std::int64_t expansion = 1;  ///< output channels of a block / width
  std::string (*block)(Model&, const std::string&, const std::string&, const Block&) = basic_block;
};

/// The stages, pooling and classifier after the stem.
std::string finish_resnet(Model& model, std::string x, const ResNet& net, std::int64_t classes) {
  std::int64_t channels = net.width;
  for (std::size_t stage = 0; stage < net.blocks.size(); ++stage) {
    const std::int64_t width = net.width << stage;
    for (std::int64_t i = 0; i < net.blocks[stage]; ++i) {
      const std::string name = "layer" + std::to_string(stage + 1) + "." + std::to_string(i);
      const std::int64_t out = width * net.expansion;
      x = net.block(model, name, x, {channels, width, out, i == 0 && stage > 0 ? 2 : 1});
      channels = out;
    }
  }
  x = model.flatten("flatten", model.global_average_pool("avgpool", x));
  return model.finish(model.linear("fc", x, channels, classes), classes);
}

/// He et al., CVPR 2016, for CIFAR-10; where channels double, the shortcut is a 1x1 convolution (their option
/// B).
std::string make_resnet20(const std::string& name, Seed seed, const ImageShape& image) {
  Model model(name, seed, {3, image.resolution, image.resolution});
  const std::string x = model.relu("relu", conv_bn(model, "conv1", "bn1", model.input(), {3, 16, 3, 1, 1}));
  return finish_resnet(model, x, {16, {3, 3, 3}}, image.classes);
}

/// He et al., CVPR 2016, for ImageNet.
std::string make_imagenet_resnet(const std::string& name, Seed seed, const ImageShape& image,
                                 const ResNet& net) {
  Model model(name, seed, {3, image.resolution, image.resolution});
  const std::string x = model.relu("relu", conv_bn(model, "conv1", "bn1", model.input(), {3, 64, 7, 2, 3}));
  return finish_resnet(model, model.max_pool("maxpool", x, 3, 2, 1), net, image.classes);
}

std::string make_resnet18(const std::string& name, Seed seed, const ImageShape& image) {
  return make_imagenet_resnet(name, seed, image, {64, {2, 2, 2, 2}});
}

std::string make_resnet50(const std::string& name, Seed seed, const ImageShape& image) {
  return make_imagenet_resnet(name, seed, image, {64, {3, 4, 6, 3}, 4, bottleneck_block});
}

using Maker = std::string (*)(const std::string& name, Seed seed, const Options& options);

/// A network of one fixed shape.
template <std::string (*make_fixed)(const std::string&, Seed)>
std::string fixed(const std::string& name, Seed seed, const Options& /*none*/) {
  return make_fixed(name, seed);
}

/// A network for images of `usual_classes` and `usual_resolution` that takes others too.
template <std::string (*make_sized)(const std::string&, Seed, const ImageShape&),
          std::int64_t usual_classes = 1000, std::int64_t usual_resolution = 224>
std::string sized(const std::string& name, Seed seed, const Options& options) {
  return make_sized(name, seed,
                    {options.classes.value_or(usual_classes), options.resolution.value_or(usual_resolution)});
}

DartsShape darts_shape(const Options& options) {
  const DartsShape usual;
  return {options.layers.value_or(usual.layers), options.channels.value_or(usual.channels),
          options.classes.value_or(usual.classes), options.resolution.value_or(usual.resolution)};
}

std::string darts(const std::string& name, Seed seed, const Options& options) {
  return make_darts(name, seed, load_genotype(options.genotype.value_or("DARTS_V2")), darts_shape(options));
}

enum class Takes { nothing, image_shape, everything };

struct Entry {
  const char* name;
  const char* description;
  Maker make;
  Takes takes = Takes::nothing;
};

constexpr Entry kNetworks[] = {
    {"lenet5", "LeNet-5 with ReLU and max pooling, 1x28x28", fixed<make_lenet5>},
    {"mlp-784-100-10", "784-100-10 perceptron with ReLU, 784 inputs", fixed<make_mlp>},
    {"resnet20", "ResNet-20 for CIFAR-10, projection shortcuts, 3x32x32", sized<make_resnet20, 10, 32>,
     Takes::image_shape},
    {"squeezenet1_1", "SqueezeNet 1.1, 3x224x224", sized<make_squeezenet1_1>, Takes::image_shape},
    {"darts", "DARTS for CIFAR-10, from a genotype, 3x32x32", darts, Takes::everything},
    {"mobilenetv2", "MobileNet v2, 3x224x224", sized<make_mobilenetv2>, Takes::image_shape},
    {"mnasnet1_0", "MnasNet-B1, 3x224x224", sized<make_mnasnet1_0>, Takes::image_shape},
    {"vgg8", "VGG-8 for CIFAR-10, 3x32x32", sized<make_vgg8, 10, 32>, Takes::image_shape},
    {"resnet18", "ResNet-18 for ImageNet, 3x224x224", sized<make_resnet18>, Takes::image_shape},
    {"resnet50", "ResNet-50 for ImageNet (stride in the 3x3 convolution), 3x224x224", sized<make_resnet50>,
     Takes::image_shape},
    {"vgg11", "VGG-11 for ImageNet, 3x224x224", sized<make_vgg11>, Takes::image_shape},
    {"vgg16", "VGG-16 for ImageNet, 3x224x224", sized<make_vgg16>, Takes::image_shape},
};

/// Options that the network does not have, or out of range.
void validate(const Entry& entry, const Options& options) {
  std::vector<base::Problem> problems;
  const auto check = [&](const char* option, bool is_given, bool is_taken) {
    if (is_given && !is_taken)
      problems.push_back({std::string("workload ") + entry.name, std::string("has no --") + option, "", ""});
  };
  const auto limit = [&](const char* option, const std::optional<std::int64_t>& value, Takes least,
                         std::int64_t low, std::int64_t high) {
    check(option, value.has_value(), entry.takes >= least);
    if (value && (*value < low || *value > high)) {
      problems.push_back({std::string("--") + option, std::to_string(*value),
                          std::to_string(low) + " to " + std::to_string(high), ""});
    }
  };
  check("genotype", options.genotype.has_value(), entry.takes == Takes::everything);
  limit("layers", options.layers, Takes::everything, 1, 100);
  limit("channels", options.channels, Takes::everything, 1, 1024);
  limit("classes", options.classes, Takes::image_shape, 1, 100'000);
  limit("resolution", options.resolution, Takes::image_shape, entry.takes == Takes::everything ? 4 : 32,
        1024);
  if (!problems.empty()) throw base::UsageError(std::move(problems));
}

}  // namespace

std::vector<Workload> list() {
  std::vector<Workload> workloads;
  for (const Entry& entry : kNetworks) workloads.push_back({entry.name, entry.description});
  return workloads;
}

namespace {

const Entry& find(const std::string& name) {
  const auto* found = std::find_if(std::begin(kNetworks), std::end(kNetworks),
                                   [&](const Entry& e) { return name == e.name; });
  if (found != std::end(kNetworks)) return *found;
  std::string allowed;
  for (const Entry& entry : kNetworks) allowed += (allowed.empty() ? "" : ", ") + std::string(entry.name);
  throw base::UsageError({"workload", "unknown name '" + name + "'", allowed, ""});
}

}  // namespace

std::string make(const std::string& name, Seed seed, const Options& options) {
  const Entry& entry = find(name);
  validate(entry, options);
  return entry.make(name, seed, options);
}

graph::Graph make_shapes(const std::string& name, const Options& options) {
  const Entry& entry = find(name);
  validate(entry, options);
  if (entry.takes == Takes::everything)
    return darts_shapes(name, load_genotype(options.genotype.value_or("DARTS_V2")), darts_shape(options));
  onnx::ImportOptions shapes;
  shapes.shapes_only = true;
  return onnx::import_onnx_bytes(entry.make(name, Seed::none(), options), name, shapes);
}

}  // namespace bitline::workloads
