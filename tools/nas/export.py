# SPDX-License-Identifier: Apache-2.0
"""From a trained module with quantised layers to a QDQ model that carries its integers.

Inputs of a layer: QuantizeLinear, Clip, DequantizeLinear; weights: int8 codes, Clip, DequantizeLinear. The Clip says how many of
the 8 bits of the type are used (what ONNX calls QCDQ), so `bitline` puts exactly these codes on crossbars. Normalisation stays a
node of its own: folded into the weights, it would change their integers.
"""

from __future__ import annotations

import copy
import io
import re
import warnings
from collections.abc import Sequence
from typing import Any

import onnx
import torch
from torch import Tensor, nn
from torch.nn import functional

from bitline.nas.quantise import QUANTISED, weight_codes

OPSET = 13


class _Dequantised(torch.autograd.Function):
    """step * int8 codes."""

    @staticmethod
    def forward(ctx: Any, codes: Tensor, step: float, limit: int) -> Tensor:
        return codes.float() * step

    @staticmethod
    def symbolic(g: Any, codes: Any, step: float, limit: int) -> Any:
        low, high = (_constant(g, value, torch.int8) for value in (-limit, limit))
        held = g.op("Clip", codes, low, high)
        return g.op("DequantizeLinear", held, _constant(g, step, torch.float32), _constant(g, 0, torch.int8))


class _OnGrid(torch.autograd.Function):
    """Inputs rounded to the grid scale * low ... scale * high."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: float, low: int, high: int) -> Tensor:
        return torch.round(x / scale).clamp_(low, high) * scale

    @staticmethod
    def symbolic(g: Any, x: Any, scale: float, low: int, high: int) -> Any:
        kind = torch.int8 if low < 0 else torch.uint8
        step, zero = _constant(g, scale, torch.float32), _constant(g, 0, kind)
        codes = g.op("QuantizeLinear", x, step, zero)
        held = g.op("Clip", codes, _constant(g, low, kind), _constant(g, high, kind))
        return g.op("DequantizeLinear", held, step, zero)


def _constant(g: Any, value: float, kind: torch.dtype) -> Any:
    return g.op("Constant", value_t=torch.tensor(value, dtype=kind))


class _Integer(nn.Module):
    """A trained layer as it runs on the machine: int8 codes, one scale for them and one for its inputs."""

    codes: Tensor

    def __init__(self, layer: Any) -> None:
        super().__init__()
        codes, self.step = weight_codes(layer.weight, layer.weight_bits)
        self.register_buffer("codes", codes.to(torch.int8))
        self.limit = (1 << layer.weight_bits) - 1
        self.scale, (self.low, self.high) = layer.grid.scale(), layer.grid.limits()
        self.bias = layer.bias

    def operands(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return (_OnGrid.apply(x, self.scale, self.low, self.high), _Dequantised.apply(self.codes, self.step, self.limit))


class IntegerConv2d(_Integer):
    """A convolution with integer weights."""

    def __init__(self, layer: nn.Conv2d) -> None:
        super().__init__(layer)
        self.window: tuple[Any, ...] = (layer.stride, layer.padding, layer.dilation, layer.groups)

    def forward(self, x: Tensor) -> Tensor:
        return functional.conv2d(*self.operands(x), self.bias, *self.window)


class IntegerLinear(_Integer):
    """A linear layer with integer weights."""

    def forward(self, x: Tensor) -> Tensor:
        return functional.linear(*self.operands(x), self.bias)


def integer_module(module: nn.Module) -> nn.Module:
    """A copy of a trained module, on the CPU and in evaluation mode, whose layers hold the integers. Same outputs.

    Raises ValueError where a layer has never seen an input, so that it has no scale.
    """
    unseen = [name for name, layer in module.named_modules() if isinstance(layer, QUANTISED) and int(layer.grid.batches) == 0]
    if unseen:
        raise ValueError(f"layers without a scale of their inputs: {', '.join(unseen)}; remedy: train them, or calibrate()")
    made = copy.deepcopy(module).cpu().eval()
    for parent in list(made.modules()):
        for name, layer in parent.named_children():
            if isinstance(layer, QUANTISED):
                setattr(parent, name, IntegerConv2d(layer) if isinstance(layer, nn.Conv2d) else IntegerLinear(layer))
    return IntegerLinear(made).eval() if isinstance(made, nn.Linear) else made


def export(module: nn.Module, image: Sequence[int], name: str = "network") -> bytes:
    """The QDQ model of a trained module with quantised layers, as the bytes of an ONNX file.

    image: shape of an input without its batch dimension. Input `input` [N,...], output `logits`; layers are named as in the module.
    """
    integer = integer_module(module)
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the tracer, about constants
        torch.onnx.export(integer, torch.zeros(1, *image), file, opset_version=OPSET, input_names=["input"], output_names=["logits"],
                          dynamic_axes={"input": {0: "N"}, "logits": {0: "N"}}, do_constant_folding=False,
                          training=torch.onnx.TrainingMode.PRESERVE)  # else it would fold normalisation into weights
    model = onnx.load_from_string(file.getvalue())
    model.graph.name, model.producer_name, model.producer_version = name, "bitline.nas", ""
    _keep_constants_as_initializers(model.graph)
    _name_nodes(model.graph)
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString(deterministic=True)


def _keep_constants_as_initializers(graph: Any) -> None:
    """Scales, zero points and limits are data and no work."""
    nodes = [node for node in graph.node if node.op_type != "Constant"]
    for node in graph.node:
        if node.op_type == "Constant":
            tensor = graph.initializer.add()
            tensor.CopyFrom(node.attribute[0].t)
            tensor.name = node.output[0]
    del graph.node[:]
    graph.node.extend(nodes)


def _name_nodes(graph: Any) -> None:
    """From the exporter's `/cells.0/op/op.1/Conv` to the module's own name `cells.0.op.1`."""
    taken: set[str] = set()
    for node in graph.node:
        path = module_path(node.name)
        wanted = path if node.op_type in ("Conv", "Gemm", "MatMul") and path else f"{path}.{node.op_type}".lstrip(".")
        node.name = wanted
        count = 1
        while node.name in taken:
            count += 1
            node.name = f"{wanted}_{count}"
        taken.add(node.name)


def module_path(scoped: str) -> str:
    """The module of a node by the exporter's name of it; a part that repeats the one before replaces it."""
    parts: list[str] = []
    for part in re.sub(r"^/", "", scoped).split("/")[:-1]:
        if parts and part.startswith(parts[-1] + "."):
            parts[-1] = part
        else:
            parts.append(part)
    return ".".join(parts)
