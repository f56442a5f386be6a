// SPDX-License-Identifier: Apache-2.0
#include "mapper/reference/dense_kernels.h"

#include <omp.h>

#include <dnnl.hpp>
#include <unordered_map>

#include "models/base/errors.h"

namespace bitline::reference {

namespace {

using dnnl::memory;
using graph::Shape;
using graph::Tensor;
using Tag = memory::format_tag;

const dnnl::engine& cpu() {
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

memory::desc describe(const memory::dims& dims, Tag tag) {
  return {dims, memory::data_type::f32, tag};
}

/// oneDNN has no view of constant memory; it only reads what is passed as source, weights and bias.
memory wrap(const memory::desc& desc, const float* data) {
  return {desc, cpu(), const_cast<float*>(data)};
}

dnnl::primitive_attr caller_scratchpad() {
  dnnl::primitive_attr attributes;
  // The library's own scratchpad is shared between the primitives of a thread.
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

/// A primitive with its need of scratch memory.
class Primitive {
 public:
  Primitive() = default;
  template <class Descriptor>
  Primitive(dnnl::primitive primitive, const Descriptor& descriptor)
      : primitive_(std::move(primitive)), scratch_(descriptor.scratchpad_desc()) {}

  void execute(dnnl::stream& stream, std::unordered_map<int, memory> arguments, Workspace& workspace) const {
    arguments.emplace(DNNL_ARG_SCRATCHPAD,
                      memory(scratch_, cpu(), workspace.scratch.reserve(scratch_.get_size())));
    primitive_.execute(stream, arguments);
  }

 private:
  dnnl::primitive primitive_;
  memory::desc scratch_;
};

Primitive make_reorder(const memory::desc& from, const memory::desc& to) {
  const dnnl::reorder::primitive_desc descriptor(cpu(), from, cpu(), to, caller_scratchpad());
  return {dnnl::reorder(descriptor), descriptor};
}

memory reordered(const memory& from, const memory::desc& to) {
  if (from.get_desc() == to) return from;
  memory result(to, cpu());
  dnnl::stream stream(cpu());
  Workspace workspace;
  make_reorder(from.get_desc(), to)
      .execute(stream, {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, result}}, workspace);
  stream.wait();
  return result;
}

class ConvKernel final : public DenseKernel {
 public:
  ConvKernel(const graph::ConvAttributes& a, const Shape& x, const Shape& y)
      : weight_source_(a.weight),
        bias_source_(a.bias),
        x_plain_(describe(x, Tag::nchw)),
        y_plain_(describe(y, Tag::nchw)) {
    const Shape& w = a.weight->shape;
    const memory::dims weight_dims = {a.group, w[0] / a.group, w[1], w[2], w[3]};
    const memory::desc bias = a.bias ? describe({w[0]}, Tag::x) : memory::desc();
    const dnnl::convolution_forward::desc operation(
        dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct, describe(x, Tag::any),
        describe(weight_dims, Tag::any), bias, describe(y, Tag::any), {a.strides[0], a.strides[1]},
        {a.dilations[0] - 1, a.dilations[1] - 1}, {a.pads[0], a.pads[1]}, {a.pads[2], a.pads[3]});
    const dnnl::convolution_forward::primitive_desc descriptor(operation, caller_scratchpad(), cpu());
    convolution_ = {dnnl::convolution_forward(descriptor), descriptor};
    x_inner_ = descriptor.src_desc();
    y_inner_ = descriptor.dst_desc();
    weight_ = reordered(wrap(describe(weight_dims, Tag::goihw), a.weight->as<float>().data()),
                        descriptor.weights_desc());
    if (a.bias) bias_ = wrap(bias, a.bias->as<float>().data());
    if (x_inner_ != x_plain_) load_ = make_reorder(x_plain_, x_inner_);
    if (y_inner_ != y_plain_) store_ = make_reorder(y_inner_, y_plain_);
  }

  void run(const float* x, float* y, Workspace& workspace) const override {
    dnnl::stream stream(cpu());
    memory in = wrap(x_plain_, x);
    memory out(y_plain_, cpu(), y);
    if (x_inner_ != x_plain_) {
      memory inner(x_inner_, cpu(), workspace.x.reserve(x_inner_.get_size()));
      load_.execute(stream, {{DNNL_ARG_FROM, in}, {DNNL_ARG_TO, inner}}, workspace);
      in = inner;
    }
    if (y_inner_ != y_plain_) out = memory(y_inner_, cpu(), workspace.y.reserve(y_inner_.get_size()));
    std::unordered_map<int, memory> arguments = {
        {DNNL_ARG_SRC, in}, {DNNL_ARG_WEIGHTS, weight_}, {DNNL_ARG_DST, out}};
    if (bias_source_) arguments.emplace(DNNL_ARG_BIAS, bias_);
    convolution_.execute(stream, std::move(arguments), workspace);
    if (y_inner_ != y_plain_) {
      store_.execute(stream, {{DNNL_ARG_FROM, out}, {DNNL_ARG_TO, memory(y_plain_, cpu(), y)}}, workspace);
    }
    stream.wait();
  }

 private:
  std::shared_ptr<const Tensor> weight_source_, bias_source_;  // keep what the views below point to
  memory::desc x_plain_, y_plain_, x_inner_, y_inner_;
  Primitive load_, convolution_, store_;
  memory weight_, bias_;
};

class LinearKernel final : public DenseKernel {
 public:
  LinearKernel(const graph::LinearAttributes& a, const Shape& x)
      : weight_source_(a.weight), bias_source_(a.bias) {
    const std::int64_t outputs = a.weight->shape[0];
    const std::int64_t inputs = a.weight->shape[1];
    const std::int64_t rows = tensor::element_count(x) / inputs;
    x_ = describe({rows, inputs}, Tag::ab);
    y_ = describe({rows, outputs}, Tag::ab);
    // [outputs, inputs] as it lies in memory is the transposed matrix: no copy.
    const memory::desc weight = describe({inputs, outputs}, Tag::ba);
    const memory::desc bias = describe({1, outputs}, Tag::ab);
    const dnnl::matmul::desc operation =
        a.bias ? dnnl::matmul::desc(x_, weight, bias, y_) : dnnl::matmul::desc(x_, weight, y_);
    const dnnl::matmul::primitive_desc descriptor(operation, caller_scratchpad(), cpu());
    product_ = {dnnl::matmul(descriptor), descriptor};
    weight_ = wrap(weight, a.weight->as<float>().data());
    if (a.bias) bias_ = wrap(bias, a.bias->as<float>().data());
  }

  void run(const float* x, float* y, Workspace& workspace) const override {
    dnnl::stream stream(cpu());
    std::unordered_map<int, memory> arguments = {
        {DNNL_ARG_SRC, wrap(x_, x)}, {DNNL_ARG_WEIGHTS, weight_}, {DNNL_ARG_DST, memory(y_, cpu(), y)}};
    if (bias_source_) arguments.emplace(DNNL_ARG_BIAS, bias_);
    product_.execute(stream, std::move(arguments), workspace);
    stream.wait();
  }

 private:
  std::shared_ptr<const Tensor> weight_source_, bias_source_;
  memory::desc x_, y_;
  Primitive product_;
  memory weight_, bias_;
};

}  // namespace

void* AlignedBuffer::reserve(std::size_t bytes) {
  if (bytes > size_) {
    memory_.reset(static_cast<std::byte*>(::operator new(bytes, kAlignment)));
    size_ = bytes;
  }
  return memory_.get();
}

SingleThread::SingleThread() : before_(omp_get_max_threads()) {
  omp_set_num_threads(1);
}
SingleThread::~SingleThread() {
  omp_set_num_threads(before_);
}

std::unique_ptr<DenseKernel> make_dense_kernel(const graph::Node& node, const Shape& x, const Shape& y) {
  const SingleThread one;
  try {
    if (const auto* conv = std::get_if<graph::ConvAttributes>(&node.attributes)) {
      return std::make_unique<ConvKernel>(*conv, x, y);
    }
    return std::make_unique<LinearKernel>(std::get<graph::LinearAttributes>(node.attributes), x);
  } catch (const dnnl::error& error) {
    throw base::NetworkError(
        {"node '" + node.name + "'",
         std::string("oneDNN cannot compute it (") + error.what() + "), input shape " + tensor::to_string(x),
         "", ""});
  }
}

}  // namespace bitline::reference
