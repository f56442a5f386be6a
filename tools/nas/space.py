# SPDX-License-Identifier: Apache-2.0
"""The DARTS cell space and its network (quark0/darts), without the auxiliary head.

Modules have the names of the PyTorch original, as the files of `bitline workload make darts`, so weights move by name.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from bitline.nas.genotype import Edge, Genotype


@dataclasses.dataclass(frozen=True)
class Shape:
    """Of a network. image: (channels, height, width); channels: of an operation in the first cells, doubled at each reduction."""

    layers: int = 20
    channels: int = 36
    classes: int = 10
    image: tuple[int, int, int] = (3, 32, 32)

    def __post_init__(self) -> None:
        faults = []
        if self.layers < 3:
            faults.append(f"layers: {self.layers}; allowed: 3 or more cells (two are reductions)")
        if self.channels < 2 or self.channels % 2:
            faults.append(f"channels: {self.channels}; allowed: an even number (reductions halve it)")
        if self.image[1] % 4 or self.image[2] % 4:
            faults.append(f"images of {self.image[1]}x{self.image[2]}; allowed: multiples of 4 (the network halves them twice)")
        if faults:
            raise ValueError("; ".join(faults))

    def is_reduction(self, cell: int) -> bool:
        return cell in (self.layers // 3, 2 * self.layers // 3)


class Chain(nn.Module):
    """Modules one after another, in `op` as in the original."""

    def __init__(self, *modules: nn.Module) -> None:
        super().__init__()
        self.op = nn.Sequential(*modules)

    def forward(self, x: Tensor) -> Tensor:
        return self.op(x)


class FactorizedReduce(nn.Module):
    """Half of the pixels in each direction: even positions to half of the channels, odd ones to the others."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.relu = nn.ReLU()
        self.conv_1 = nn.Conv2d(inputs, outputs // 2, 1, 2, bias=False)
        self.conv_2 = nn.Conv2d(inputs, outputs // 2, 1, 2, bias=False)
        self.bn = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(x)
        return self.bn(torch.cat([self.conv_1(x), self.conv_2(x[:, :, 1:, 1:])], dim=1))


class Zero(nn.Module):
    """The operation `none`."""

    def __init__(self, stride: int) -> None:
        super().__init__()
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        return x[:, :, ::self.stride, ::self.stride] * 0.0


def relu_conv_bn(inputs: int, outputs: int) -> nn.Module:
    return Chain(nn.ReLU(), nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs))


def separable(channels: int, kernel: int, stride: int, dilation: int = 1) -> list[nn.Module]:
    """ReLU, depthwise, 1x1, normalisation."""
    padding = dilation * (kernel - 1) // 2
    return [nn.ReLU(),
            nn.Conv2d(channels, channels, kernel, stride, padding, dilation, channels, bias=False),
            nn.Conv2d(channels, channels, 1, bias=False), nn.BatchNorm2d(channels)]


def operation(name: str, channels: int, stride: int) -> nn.Module:
    """A primitive of the space. Output of the same channels, `stride` times fewer pixels in each direction."""
    if name.startswith("sep_conv"):
        return Chain(*separable(channels, int(name[-1]), stride), *separable(channels, int(name[-1]), 1))
    if name.startswith("dil_conv"):
        return Chain(*separable(channels, int(name[-1]), stride, dilation=2))
    made: dict[str, Callable[[], nn.Module]] = {
        "none": lambda: Zero(stride),
        "max_pool_3x3": lambda: nn.MaxPool2d(3, stride, 1),
        "avg_pool_3x3": lambda: nn.AvgPool2d(3, stride, 1, count_include_pad=False),
        "skip_connect": lambda: nn.Identity() if stride == 1 else FactorizedReduce(channels, channels),
    }
    return made[name]()


class Cell(nn.Module):
    """A cell of a genotype: from the outputs of the two cells before it to four times `channels` channels."""

    def __init__(self, edges: Sequence[Edge], inputs: tuple[int, int], channels: int, reduction: bool, halved: bool) -> None:
        super().__init__()
        self.preprocess0 = FactorizedReduce(inputs[0], channels) if halved else relu_conv_bn(inputs[0], channels)
        self.preprocess1 = relu_conv_bn(inputs[1], channels)
        self.names = [name for name, _ in edges]
        self.sources = [source for _, source in edges]
        self._ops = nn.ModuleList(operation(name, channels, 2 if reduction and source < 2 else 1) for name, source in edges)

    def forward(self, before_last: Tensor, last: Tensor) -> Tensor:
        states = [self.preprocess0(before_last), self.preprocess1(last)]
        for e in range(0, len(self._ops), 2):
            terms = [self._ops[k](states[self.sources[k]]) for k in (e, e + 1) if self.names[k] != "none"]
            states.append(sum(terms[1:], terms[0]) if terms else self._ops[e](states[self.sources[e]]))
        return torch.cat(states[2:], dim=1)


class CellNetwork(nn.Module):
    """Stem, cells, global pooling, classifier; subclasses say what a cell is."""

    def __init__(self, shape: Shape, make_cell: Callable[[tuple[int, int], int, bool, bool], nn.Module]) -> None:
        super().__init__()
        self.shape = shape
        stem = 3 * shape.channels
        self.stem = nn.Sequential(nn.Conv2d(shape.image[0], stem, 3, padding=1, bias=False), nn.BatchNorm2d(stem))
        inputs, channels, halved = (stem, stem), shape.channels, False
        self.cells = nn.ModuleList()
        for i in range(shape.layers):
            reduction = shape.is_reduction(i)
            channels *= 2 if reduction else 1
            self.cells.append(make_cell(inputs, channels, reduction, halved))
            inputs, halved = (inputs[1], 4 * channels), reduction
        self.global_pooling = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(inputs[1], shape.classes)

    def classify(self, x: Tensor) -> Tensor:
        return self.classifier(torch.flatten(self.global_pooling(x), 1))


class Network(CellNetwork):
    """The network of a genotype: images [N,C,H,W] to logits [N,classes]."""

    def __init__(self, genotype: Genotype, shape: Shape) -> None:
        super().__init__(shape, lambda inputs, channels, reduction, halved: Cell(
            genotype.edges(reduction), inputs, channels, reduction, halved))

    def forward(self, x: Tensor) -> Tensor:
        before_last = last = self.stem(x)
        for cell in self.cells:
            before_last, last = last, cell(before_last, last)
        return self.classify(last)


def parameters_of(module: nn.Module) -> int:
    """Number of trained values, normalisation included."""
    return sum(p.numel() for p in module.parameters())


@torch.no_grad()
def macs_of(module: nn.Module, image: tuple[int, int, int]) -> int:
    """Multiply-accumulates of convolutions and linear layers for one image."""
    total = 0

    def count(layer: nn.Module, _: object, output: Tensor) -> None:
        nonlocal total
        total += output[0].numel() * layer.weight[0].numel()

    hooks = [layer.register_forward_hook(count) for layer in module.modules() if isinstance(layer, (nn.Conv2d, nn.Linear))]
    was_training = module.training
    module.eval()
    try:
        module(torch.zeros(1, *image, device=next(module.parameters()).device))
    finally:
        module.train(was_training)
        for hook in hooks:
            hook.remove()
    return total
