# SPDX-License-Identifier: Apache-2.0
"""A float ONNX network as a PyTorch module that can be trained."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy
import onnx
import torch
from onnx import helper, numpy_helper
from torch import Tensor, nn
from torch.nn import functional


class OnnxModule(nn.Module):
    """The nodes of a graph in their order; layers with weights are the modules of their nodes."""

    def __init__(self, steps: list[tuple[str, Any, list[str], str]], entry: str, exit_: str, image: tuple[int, ...]) -> None:
        super().__init__()
        self.entry, self.exit, self.image = entry, exit_, image
        self.steps: list[tuple[Any, list[str], str]] = []
        for name, step, inputs, output in steps:
            if isinstance(step, nn.Module):
                key = name.replace(".", "_") or f"node{len(self.steps)}"
                self.add_module(key, step)
                step = key
            self.steps.append((step, inputs, output))

    def forward(self, x: Tensor) -> Tensor:
        values = {self.entry: x}
        for step, inputs, output in self.steps:
            function = getattr(self, step) if isinstance(step, str) else step
            values[output] = function(*[values[i] for i in inputs])
        return values[self.exit]


def load(path: str | os.PathLike[str]) -> OnnxModule:
    """The network of a file with one input [N,...] and one output. Raises ValueError naming every node that cannot be trained."""
    try:
        model = onnx.load(os.fspath(path))
    except Exception as error:  # noqa: BLE001 (protobuf and the file system raise many kinds)
        raise ValueError(f"{path}: not an ONNX model ({error})") from None
    graph = model.graph
    constants = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
    entries = [i for i in graph.input if i.name not in constants]
    if len(entries) != 1 or len(graph.output) != 1:
        raise ValueError(f"{path}: {len(entries)} inputs and {len(graph.output)} outputs; allowed: one of each")
    steps, problems = [], []
    for node in graph.node:
        attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        if node.op_type == "Constant" and "value" in attributes:
            constants[node.output[0]] = numpy_helper.to_array(attributes["value"])
            continue
        try:
            if node.op_type not in _MAKERS:
                raise ValueError(f"operator {node.op_type}; allowed: {', '.join(sorted(_MAKERS))}")
            given = [constants.get(i) for i in node.input if i]
            step = _MAKERS[node.op_type](attributes, given)
            read = [i for i in node.input if i and i not in constants]
            steps.append((node.name, step, read, node.output[0]))
        except ValueError as error:
            problems.append(f"node '{node.name}': {error}")
    if problems:
        raise ValueError(f"{path}: " + "; ".join(problems))
    dims = tuple(d.dim_value for d in entries[0].type.tensor_type.shape.dim)
    return OnnxModule(steps, entries[0].name, graph.output[0].name, dims[1:])


def _parameter(values: numpy.ndarray | None) -> nn.Parameter | None:
    return None if values is None else nn.Parameter(torch.from_numpy(numpy.array(values, dtype=numpy.float32)))


def _weight(given: list[Any], at: int = 1) -> numpy.ndarray:
    if len(given) <= at or given[at] is None:
        raise ValueError("computed or quantised weights; allowed: constant float weights")
    return given[at]


def _symmetric(attributes: dict[str, Any]) -> tuple[int, int]:
    pads = list(attributes.get("pads", [0] * 4))
    if attributes.get("auto_pad", b"NOTSET") != b"NOTSET" or len(pads) != 4 or pads[:2] != pads[2:]:
        raise ValueError(f"pads {pads}; allowed: the same at opposite sides of an image")
    return pads[0], pads[1]


def _conv(attributes: dict[str, Any], given: list[Any]) -> nn.Module:
    weight = _weight(given)
    if weight.ndim != 4:
        raise ValueError(f"a weight of {weight.ndim} dimensions; allowed: 4")
    bias = given[2] if len(given) > 2 else None
    group = attributes.get("group", 1)
    layer = nn.Conv2d(weight.shape[1] * group, weight.shape[0], weight.shape[2:], tuple(attributes.get("strides", [1, 1])),
                      _symmetric(attributes), tuple(attributes.get("dilations", [1, 1])), group, bias is not None)
    layer.weight, layer.bias = _parameter(weight), _parameter(bias)  # type: ignore[assignment]
    return layer


def _gemm(attributes: dict[str, Any], given: list[Any]) -> nn.Module:
    if attributes.get("transA", 0) or attributes.get("alpha", 1.0) != 1.0 or attributes.get("beta", 1.0) != 1.0:
        raise ValueError("transA, alpha or beta; allowed: none")
    weight = _weight(given)
    weight = weight if attributes.get("transB", 0) else weight.T
    bias = given[2] if len(given) > 2 else None
    layer = nn.Linear(weight.shape[1], weight.shape[0], bias is not None)
    layer.weight, layer.bias = _parameter(weight), _parameter(bias)  # type: ignore[assignment]
    return layer


def _batch_norm(attributes: dict[str, Any], given: list[Any]) -> nn.Module:
    scale, shift, mean, variance = (_weight(given, i) for i in range(1, 5))
    layer = nn.BatchNorm2d(len(scale), attributes.get("epsilon", 1e-5))
    layer.weight, layer.bias = _parameter(scale), _parameter(shift)  # type: ignore[assignment]
    layer.running_mean, layer.running_var = (torch.from_numpy(numpy.array(v, numpy.float32)) for v in (mean, variance))
    return layer


def _max_pool(attributes: dict[str, Any], given: list[Any]) -> nn.Module:
    if attributes.get("ceil_mode", 0):
        raise ValueError("ceil_mode; allowed: 0")
    return nn.MaxPool2d(tuple(attributes["kernel_shape"]), tuple(attributes.get("strides", [1, 1])), _symmetric(attributes),
                        tuple(attributes.get("dilations", [1, 1])))


def _average_pool(attributes: dict[str, Any], given: list[Any]) -> nn.Module:
    if attributes.get("ceil_mode", 0):
        raise ValueError("ceil_mode; allowed: 0")
    return nn.AvgPool2d(tuple(attributes["kernel_shape"]), tuple(attributes.get("strides", [1, 1])), _symmetric(attributes),
                        count_include_pad=bool(attributes.get("count_include_pad", 0)))


def _flatten(attributes: dict[str, Any], given: list[Any]) -> nn.Module:
    if attributes.get("axis", 1) != 1:
        raise ValueError(f"axis {attributes['axis']}; allowed: 1")
    return nn.Flatten()


def _slice(attributes: dict[str, Any], given: list[Any]) -> Callable[[Tensor], Tensor]:
    starts, ends = _weight(given, 1), _weight(given, 2)
    axes = given[3] if len(given) > 3 else range(len(starts))
    steps = given[4] if len(given) > 4 else [1] * len(starts)
    index = {int(a): slice(int(s), min(int(e), 2 ** 31), int(t)) for a, s, e, t in zip(axes, starts, ends, steps)}
    if any(a < 1 or i.step < 1 for a, i in index.items()):
        raise ValueError("axes or steps; allowed: positive")
    where = tuple(index.get(a, slice(None)) for a in range(max(index) + 1))
    return lambda x: x[where]


_MAKERS: dict[str, Callable[[dict[str, Any], list[Any]], Any]] = {
    "Add": lambda attributes, given: torch.add if len(given) == 2 and given[0] is None and given[1] is None else _no_constants(),
    "AveragePool": _average_pool,
    "BatchNormalization": _batch_norm,
    "Concat": lambda attributes, given: lambda *xs: torch.cat(xs, attributes["axis"]),
    "Conv": _conv,
    "Dropout": lambda attributes, given: nn.Identity(),
    "Flatten": _flatten,
    "Gemm": _gemm,
    "GlobalAveragePool": lambda attributes, given: nn.AdaptiveAvgPool2d(1),
    "Identity": lambda attributes, given: nn.Identity(),
    "MaxPool": _max_pool,
    "Relu": lambda attributes, given: functional.relu,
    "Slice": _slice,
}


def _no_constants() -> Any:
    raise ValueError("a constant operand; allowed: computed ones")
