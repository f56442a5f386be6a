# SPDX-License-Identifier: Apache-2.0
"""A small ONNX executor on PyTorch: an independent float32 reference for the tests.

Written from the ONNX operator definitions, sharing nothing with the simulator. Only static graphs of the operators
in OPERATORS run; anything else is a KeyError, never skipped.
"""

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper
from torch.nn import functional


def _two_sided(x, pads, value=0.0):
    """Pads the last two dimensions by ONNX pads [top, left, bottom, right]."""
    top, left, bottom, right = pads
    return functional.pad(x, (left, right, top, bottom), value=value)


def _conv(attributes, x, weight, bias=None):
    padded = _two_sided(x, attributes.get("pads", [0] * 4))
    return functional.conv2d(padded, weight, bias, attributes.get("strides", [1, 1]), 0,
                             attributes.get("dilations", [1, 1]), attributes.get("group", 1))


def _conv_transpose(attributes, x, weight, bias=None):
    """The same padding on opposite sides."""
    pads = attributes.get("pads", [0] * 4)
    assert pads[:2] == pads[2:]
    return functional.conv_transpose2d(x, weight, bias, attributes.get("strides", [1, 1]), pads[:2],
                                       attributes.get("output_padding", [0, 0]), attributes.get("group", 1))


def _along(values, axis, x):
    """One value, or one per index of an axis, to compute with x."""
    return values.view([-1 if d == axis else 1 for d in range(x.dim())]) if values.numel() > 1 else values


def _quantize(attributes, x, scale, zero):
    limits = torch.iinfo(zero.dtype)
    return torch.clamp(torch.round(x / scale) + zero, limits.min, limits.max).to(zero.dtype)


def _dequantize(attributes, codes, scale, zero):
    axis = attributes.get("axis", 1)
    return (codes.to(torch.int32) - _along(zero, axis, codes).to(torch.int32)) * _along(scale, axis, codes)


def _batch_normalization(attributes, x, scale, bias, mean, variance):
    shape = [1, -1] + [1] * (x.dim() - 2)
    factor = scale / torch.sqrt(variance + attributes.get("epsilon", 1e-5))
    return x * factor.view(shape) + (bias - mean * factor).view(shape)


def _gemm(attributes, a, b, c=None):
    a = a.t() if attributes.get("transA", 0) else a
    b = b.t() if attributes.get("transB", 0) else b
    y = attributes.get("alpha", 1.0) * (a @ b)
    return y if c is None else y + attributes.get("beta", 1.0) * c


def _max_pool(attributes, x):
    padded = _two_sided(x, attributes.get("pads", [0] * 4), float("-inf"))
    return functional.max_pool2d(padded, attributes["kernel_shape"], attributes.get("strides", [1, 1]))


def _average_pool(attributes, x):
    """Of the pixels inside the image; the same padding on all sides."""
    assert not attributes.get("count_include_pad", 0)
    (padding,) = set(attributes.get("pads", [0] * 4))
    return functional.avg_pool2d(x, attributes["kernel_shape"], attributes.get("strides", [1, 1]), padding,
                                 count_include_pad=False)


def _slice(attributes, x, starts, ends, axes, steps=None):
    assert steps is None or (steps == 1).all()
    for start, end, axis in zip(starts.tolist(), ends.tolist(), axes.tolist()):
        x = x.narrow(axis, start, min(end, x.shape[axis]) - start)
    return x


OPERATORS = {
    "Add": lambda attributes, a, b: a + b,
    "AveragePool": _average_pool,
    "BatchNormalization": _batch_normalization,
    "Clip": lambda attributes, x, low, high: torch.clamp(x, low.item(), high.item()),
    "Concat": lambda attributes, *xs: torch.cat(xs, attributes["axis"]),
    "Conv": _conv,
    "ConvTranspose": _conv_transpose,
    "DequantizeLinear": _dequantize,
    "Flatten": lambda attributes, x: x.reshape(int(np.prod(x.shape[:attributes.get("axis", 1)])), -1),
    "Gemm": _gemm,
    "GlobalAveragePool": lambda attributes, x: x.mean((2, 3), keepdim=True),
    "Identity": lambda attributes, x: x,
    "MaxPool": _max_pool,
    "QuantizeLinear": _quantize,
    "Relu": lambda attributes, x: torch.clamp(x, min=0),
    "Slice": _slice,
}


@torch.no_grad()
def run(model, x):
    """All values by name of `model` (a path or a ModelProto) for its one input `x` [N,...]."""
    graph = (model if isinstance(model, onnx.ModelProto) else onnx.load(str(model))).graph
    values = {i.name: torch.from_numpy(numpy_helper.to_array(i).copy()) for i in graph.initializer}
    (entry,) = [i.name for i in graph.input if i.name not in values]
    values[entry] = torch.from_numpy(np.ascontiguousarray(x))
    for node in graph.node:
        attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        values[node.output[0]] = OPERATORS[node.op_type](attributes, *[values[i] for i in node.input if i])
    return {name: value.numpy() for name, value in values.items()}


def infer(model, x):
    """The first output of `model` for `x`."""
    loaded = model if isinstance(model, onnx.ModelProto) else onnx.load(str(model))
    return run(loaded, x)[loaded.graph.output[0].name]
