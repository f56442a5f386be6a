# SPDX-License-Identifier: Apache-2.0
"""Random small networks with pruned weights: empty filters, channels and rows, with and without biases."""

import numpy as np

import tiny_onnx
from tiny_onnx import node, tensor


class Builder:
    """Nodes one after another; values are (name, channels, size) of square images."""

    def __init__(self, seed):
        self.random = np.random.default_rng(seed)
        self.nodes, self.initializers = [], []

    def chance(self, share):
        return self.random.random() < share

    def name(self, op):
        return f"{op.lower()}{len(self.nodes)}"

    def constant(self, values):
        name = f"c{len(self.initializers)}"
        self.initializers.append(tensor(name, values))
        return name

    def add(self, op, inputs, **attributes):
        name = self.name(op)
        self.nodes.append(node(op, name, inputs, **attributes))
        return f"{name}_out"

    def pruned(self, *shape):
        w = self.random.uniform(-1, 1, shape)
        w[self.random.random(shape) < self.random.choice([0, 0.5])] = 0
        w[self.random.random(shape[0]) < 0.4] = 0                           # filters
        w[:, self.random.random(shape[1]) < 0.3] = 0                        # channels
        flat = w.reshape(shape[0], -1)
        flat[:, self.random.random(flat.shape[1]) < 0.2] = 0                # rows
        return w

    def bias(self, count):
        b = self.random.uniform(-1, 1, count)
        b[self.random.random(count) < 0.5] = 0
        return b

    def conv(self, x, outputs, kernel=None):
        name, channels, size = x
        kernel = kernel or int(self.random.choice([1, 3]))
        pad = int(self.random.integers(0, 2)) if kernel == 3 and size >= 3 else kernel // 2
        inputs = [name, self.constant(self.pruned(outputs, channels, kernel, kernel))]
        if self.chance(0.6):
            inputs.append(self.constant(self.bias(outputs)))
        y = self.add("Conv", inputs, kernel_shape=[kernel] * 2, pads=[pad] * 4)
        return y, outputs, size + 2 * pad - kernel + 1

    def depthwise(self, x):
        name, channels, size = x
        w = self.pruned(channels, 1, 3, 3)
        y = self.add("Conv", [name, self.constant(w), self.constant(self.bias(channels))], kernel_shape=[3, 3],
                     pads=[1] * 4, group=channels)
        return y, channels, size

    def channelwise(self, x):
        name, channels, size = x
        what = self.random.integers(0, 7)
        if what == 0:
            return self.add("Sigmoid", [name]), channels, size
        if what == 1:
            factors = self.constant(self.random.uniform(-1, 1, (channels, 1, 1)))
            return self.add("Mul", [name, factors]), channels, size
        if what == 2:
            parts = [self.constant(v) for v in (self.random.uniform(0.5, 1, channels), self.bias(channels),
                                                self.bias(channels), self.random.uniform(0.5, 1, channels))]
            return self.add("BatchNormalization", [self.add("Relu", [name]), *parts]), channels, size
        if what == 3 and size >= 4:
            return self.add("MaxPool", [name], kernel_shape=[2, 2], strides=[2, 2]), channels, size // 2
        if what == 4 and size >= 4:
            include = int(self.random.integers(0, 2))
            return self.add("AveragePool", [name], kernel_shape=[3, 3], strides=[1, 1], pads=[1] * 4,
                            count_include_pad=include), channels, size
        if what == 5:
            return self.depthwise(x)
        return self.add("Relu", [name]), channels, size

    def block(self, x):
        """One conv, two that are added, or two beside each other."""
        outputs = int(self.random.integers(3, 9))
        a = self.channelwise(self.conv(x, outputs))
        kind = self.random.integers(0, 3)
        if kind == 0:
            return a
        b = self.conv(x, outputs, kernel=1)
        if a[2] != b[2]:
            return a
        if kind == 1:
            return self.channelwise((self.add("Add", [a[0], b[0]]), outputs, a[2]))
        return self.add("Concat", [a[0], b[0]], axis=1), 2 * outputs, a[2]


def network(seed):
    """x [N,1,8,8] -> y [N,10]."""
    b = Builder(seed)
    x = ("x", 1, 8)
    for _ in range(int(b.random.integers(2, 5))):
        x = b.channelwise(b.block(x))
    name, channels, size = x
    if b.chance(0.3):
        name, size = b.add("GlobalAveragePool", [name]), 1
    flat = b.add("Flatten", [name])
    w = b.pruned(10, channels * size * size)
    b.nodes.append(node("Gemm", "fc", [flat, b.constant(w), b.constant(b.bias(10))], ["y"], transB=1))
    return tiny_onnx.model(b.nodes, {"x": ["N", 1, 8, 8]}, {"y": ["N", 10]}, b.initializers)


def chain(first, bias, second, pads=1):
    """x -> conv1 (weights `first`, `bias`) -> relu -> conv2 (weights `second`, padded) -> y."""
    kernel = second.shape[2]
    nodes = [node("Conv", "conv1", ["x", "w1", "b1"], kernel_shape=[3, 3], pads=[1] * 4), node("Relu", "relu", ["conv1_out"]),
             node("Conv", "conv2", ["relu_out", "w2"], ["y"], kernel_shape=[kernel] * 2, pads=[pads] * 4)]
    size = 8 + 2 * pads - kernel + 1
    return tiny_onnx.model(nodes, {"x": ["N", 1, 8, 8]}, {"y": ["N", len(second), size, size]},
                           [tensor("w1", first), tensor("b1", bias), tensor("w2", second)])
