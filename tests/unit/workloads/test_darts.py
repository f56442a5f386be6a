# SPDX-License-Identifier: Apache-2.0
"""The generated DARTS networks against the published model in PyTorch, and their sizes by ONNX's shape inference.

The model here follows the authors' cnn/model.py and cnn/operations.py (quark0/darts) module by module, so that the
weights of the file load by name.
"""

import json
import math

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper, shape_inference
from torch import nn

import onnx_torch
from cli import refuse, succeed, USAGE

# As printed in the two repositories' cnn/genotypes.py.
GENOTYPES = {
    "DARTS_V1": (
        [("sep_conv_3x3", 1), ("sep_conv_3x3", 0), ("skip_connect", 0), ("sep_conv_3x3", 1),
         ("skip_connect", 0), ("sep_conv_3x3", 1), ("sep_conv_3x3", 0), ("skip_connect", 2)],
        [("max_pool_3x3", 0), ("max_pool_3x3", 1), ("skip_connect", 2), ("max_pool_3x3", 0),
         ("max_pool_3x3", 0), ("skip_connect", 2), ("skip_connect", 2), ("avg_pool_3x3", 0)]),
    "DARTS_V2": (
        [("sep_conv_3x3", 0), ("sep_conv_3x3", 1), ("sep_conv_3x3", 0), ("sep_conv_3x3", 1),
         ("sep_conv_3x3", 1), ("skip_connect", 0), ("skip_connect", 0), ("dil_conv_3x3", 2)],
        [("max_pool_3x3", 0), ("max_pool_3x3", 1), ("skip_connect", 2), ("max_pool_3x3", 1),
         ("max_pool_3x3", 0), ("skip_connect", 2), ("skip_connect", 2), ("max_pool_3x3", 1)]),
    "PC_DARTS": (
        [("sep_conv_3x3", 1), ("skip_connect", 0), ("sep_conv_3x3", 0), ("dil_conv_3x3", 1),
         ("sep_conv_5x5", 0), ("sep_conv_3x3", 1), ("avg_pool_3x3", 0), ("dil_conv_3x3", 1)],
        [("sep_conv_5x5", 1), ("max_pool_3x3", 0), ("sep_conv_5x5", 1), ("sep_conv_5x5", 2),
         ("sep_conv_3x3", 0), ("sep_conv_3x3", 3), ("sep_conv_3x3", 1), ("sep_conv_3x3", 2)]),
}
# All operations, with strides 1 and 2, and `none`.
EVERY = [["dil_conv_5x5", 0], ["none", 1], ["sep_conv_5x5", 0], ["avg_pool_3x3", 1],
         ["skip_connect", 1], ["dil_conv_3x3", 3], ["max_pool_3x3", 0], ["sep_conv_3x3", 4]]

# Parameters (normalisation scales and shifts included, no auxiliary head) and MACs of convolutions and the classifier.
SIZES = [("DARTS_V1", 36, 20, 3_169_414, 500_987_520), ("DARTS_V2", 36, 20, 3_349_342, 528_359_040),
         ("PC_DARTS", 36, 20, 3_634_678, 556_670_592), ("DARTS_V2", 16, 8, 246_106, 43_444_736),
         ("PC_DARTS", 16, 8, 335_738, 53_258_752)]


def conv(c_in, c_out, kernel, stride=1, padding=0, dilation=1, groups=1):
    return nn.Conv2d(c_in, c_out, kernel, stride, padding, dilation, groups, bias=False)


class Chain(nn.Module):
    def __init__(self, *modules):
        super().__init__()
        self.op = nn.Sequential(*modules)

    def forward(self, x):
        return self.op(x)


class FactorizedReduce(nn.Module):
    def __init__(self, c_in, c_out):
        super().__init__()
        self.conv_1, self.conv_2 = conv(c_in, c_out // 2, 1, 2), conv(c_in, c_out // 2, 1, 2)
        self.bn = nn.BatchNorm2d(c_out)

    def forward(self, x):
        x = torch.relu(x)
        return self.bn(torch.cat([self.conv_1(x), self.conv_2(x[:, :, 1:, 1:])], dim=1))


class Zero(nn.Module):
    def __init__(self, stride):
        super().__init__()
        self.stride = stride

    def forward(self, x):
        return x[:, :, ::self.stride, ::self.stride] * 0.0


def relu_conv_bn(c_in, c_out):
    return Chain(nn.ReLU(), conv(c_in, c_out, 1), nn.BatchNorm2d(c_out))


def separable(c, kernel, stride, dilation=1):
    padding = dilation * (kernel - 1) // 2
    return [nn.ReLU(), conv(c, c, kernel, stride, padding, dilation, c), conv(c, c, 1), nn.BatchNorm2d(c)]


def operation(name, c, stride):
    kernel = int(name[-1]) if name[-1].isdigit() else 0
    if name.startswith("sep_conv"):
        return Chain(*separable(c, kernel, stride), *separable(c, kernel, 1))
    if name.startswith("dil_conv"):
        return Chain(*separable(c, kernel, stride, dilation=2))
    return {"none": lambda: Zero(stride),
            "max_pool_3x3": lambda: nn.MaxPool2d(3, stride, 1),
            "avg_pool_3x3": lambda: nn.AvgPool2d(3, stride, 1, count_include_pad=False),
            "skip_connect": lambda: nn.Identity() if stride == 1 else FactorizedReduce(c, c)}[name]()


class Cell(nn.Module):
    def __init__(self, edges, concat, c_before, c_last, c, reduction, reduction_before):
        super().__init__()
        self.preprocess0 = (FactorizedReduce if reduction_before else relu_conv_bn)(c_before, c)
        self.preprocess1 = relu_conv_bn(c_last, c)
        self.indices, self.concat = [i for _, i in edges], concat
        self._ops = nn.ModuleList(operation(name, c, 2 if reduction and i < 2 else 1) for name, i in edges)

    def forward(self, s0, s1):
        states = [self.preprocess0(s0), self.preprocess1(s1)]
        for e in range(0, len(self._ops), 2):
            a, b = (self._ops[k](states[self.indices[k]]) for k in (e, e + 1))
            states.append(a + b)
        return torch.cat([states[i] for i in self.concat], dim=1)


class Network(nn.Module):
    """`cells(i, reduction)` gives the edges and the concatenated states of cell i."""

    def __init__(self, c, classes, layers, cells):
        super().__init__()
        self.stem = nn.Sequential(conv(3, 3 * c, 3, padding=1), nn.BatchNorm2d(3 * c))
        c_before, c_last, reduction_before = 3 * c, 3 * c, False
        self.cells = nn.ModuleList()
        for i in range(layers):
            reduction = i in (layers // 3, 2 * layers // 3)
            c *= 2 if reduction else 1
            edges, concat = cells(i, reduction)
            self.cells.append(Cell(edges, concat, c_before, c_last, c, reduction, reduction_before))
            c_before, c_last, reduction_before = c_last, c * len(concat), reduction
        self.classifier = nn.Linear(c_last, classes)

    def forward(self, x):
        s0 = s1 = self.stem(x)
        for cell in self.cells:
            s0, s1 = s1, cell(s0, s1)
        return self.classifier(s1.mean((2, 3)))


def make(path, *arguments):
    succeed("workload", "make", "darts", *arguments, "-o", path)
    model = onnx.load(str(path))
    onnx.checker.check_model(model, full_check=True)
    return model


def load(network, model):
    """The weights of the file, by name; none may be missing and none left over."""
    weights = {i.name: torch.from_numpy(numpy_helper.to_array(i).copy())
               for i in model.graph.initializer if i.data_type == onnx.TensorProto.FLOAT}
    state = {k: v for k, v in network.state_dict().items() if not k.endswith("num_batches_tracked")}
    assert set(state) == set(weights)
    network.load_state_dict(weights, strict=False)
    return network.eval()


@torch.no_grad()
def assert_same(network, model, resolution):
    x = np.random.default_rng(1).standard_normal((2, 3, resolution, resolution)).astype(np.float32)
    expected = load(network, model)(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(onnx_torch.infer(model, x), expected, rtol=1e-4, atol=1e-4 * abs(expected).max())


@pytest.mark.parametrize("name", GENOTYPES)
def test_the_network_is_the_published_model(name, tmp_path):
    path = tmp_path / "net.onnx"
    model = make(path, "--genotype", name, "--layers", 8, "--channels", 8, "--classes", 7, "--resolution", 16)
    normal, reduce = GENOTYPES[name]
    network = Network(8, 7, 8, lambda i, reduction: (reduce if reduction else normal, [2, 3, 4, 5]))
    assert_same(network, model, 16)


def test_a_file_gives_all_operations_and_cells_of_their_own(tmp_path):
    v2 = [list(map(list, edges)) for edges in GENOTYPES["DARTS_V2"]]
    genotype = {"normal": EVERY, "reduce": EVERY, "normal_concat": [5, 3], "cells": {"1": v2[1], "3": v2[0]}}
    (tmp_path / "genotype.json").write_text(json.dumps(genotype))
    path = tmp_path / "net.onnx"
    model = make(path, "--genotype", tmp_path / "genotype.json", "--layers", 5, "--channels", 4, "--resolution", 8)
    own = {1: v2[1], 3: v2[0]}

    def cells(i, reduction):
        return own.get(i, EVERY), [2, 3, 4, 5] if reduction or i in own else [5, 3]

    assert_same(Network(4, 10, 5, cells), model, 8)


@pytest.mark.parametrize("name, channels, layers, parameters, macs", SIZES)
def test_sizes_are_the_published_ones(name, channels, layers, parameters, macs, tmp_path):
    model = make(tmp_path / "net.onnx", "--genotype", name, "--channels", channels, "--layers", layers)
    weights = {i.name: tuple(i.dims) for i in model.graph.initializer if i.data_type == onnx.TensorProto.FLOAT}
    assert sum(math.prod(s) for n, s in weights.items() if ".running_" not in n) == parameters
    values = shape_inference.infer_shapes(model, strict_mode=True).graph.value_info
    shapes = {v.name: [d.dim_value for d in v.type.tensor_type.shape.dim] for v in values}
    count = 0
    for node in model.graph.node:
        if node.op_type == "Conv":
            count += math.prod(shapes[node.output[0]][1:]) * math.prod(weights[node.input[1]][1:])
        elif node.op_type == "Gemm":
            count += math.prod(weights[node.input[1]])
    assert count == macs


@pytest.mark.parametrize("text, complaint", [
    ("[", "is not a JSON object"),
    ("{}", "normal: is missing"),
    (json.dumps({"normal": EVERY[:6], "reduce": EVERY}), "normal: has 6 entries"),
    (json.dumps({"normal": [["conv_7x7", 0], *EVERY[1:]], "reduce": EVERY}),
     "normal[0]: unknown operation 'conv_7x7'; allowed: none, max_pool_3x3"),
    (json.dumps({"normal": [["none", 2], *EVERY[1:]], "reduce": EVERY}),
     "normal[0]: reads state 2; allowed: 0 to 1"),
    (json.dumps({"normal": [["none", 1], *EVERY[1:]], "reduce": EVERY}), "normal: node 2 has no input"),
    (json.dumps({"normal": EVERY, "reduce": EVERY, "reduce_concat": [2, 2]}), "reduce_concat: is not a list of"),
    (json.dumps({"normal": EVERY, "reduce": EVERY, "cell": {}}), "cell: unknown key"),
    (json.dumps({"normal": EVERY, "reduce": EVERY, "cells": {"-1": EVERY}}), "cells.-1: is not the number"),
    (json.dumps({"normal": EVERY, "reduce": EVERY, "cells": {"20": EVERY}}), "describes cell 20"),
])
def test_a_wrong_genotype_is_refused(text, complaint, tmp_path):
    (tmp_path / "genotype.json").write_text(text)
    error = refuse(USAGE, "workload", "make", "darts", "--genotype", tmp_path / "genotype.json",
                   "-o", tmp_path / "net.onnx")
    assert complaint in error
    assert not (tmp_path / "net.onnx").exists()


def test_options_out_of_range_are_refused(tmp_path):
    for arguments, complaint in [(["--resolution", 30], "a multiple of 4"), (["--layers", 0], "1 to 100"),
                                 (["--genotype", "DARTS"], "DARTS_V1, DARTS_V2, PC_DARTS"),
                                 (["--layers", 100, "--channels", 1024], "weights")]:
        assert complaint in refuse(USAGE, "workload", "make", "darts", *arguments, "-o", tmp_path / "net.onnx")
    assert "has no --layers" in refuse(USAGE, "workload", "make", "vgg8", "--layers", 3, "-o", tmp_path / "net.onnx")
