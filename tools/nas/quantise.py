# SPDX-License-Identifier: Apache-2.0
"""Training with the integers that the simulator computes with.

Weights are `dynamic_fixed_point`: per tensor S = ceil(log2(max|w|)), step 2^(S-b), a sign and b magnitude bits, codes held at
+-(2^b - 1). Inputs of a layer are unsigned codes 0 ... 2^a - 1 where no negative value was seen, else signed and symmetric
within +-(2^(a-1) - 1); their scale is the largest |x| seen over the largest code. Rounding is half to even. Gradients pass
straight through the rounding; those of inputs beyond the range are zero.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy
import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclasses.dataclass(frozen=True)
class Bits:
    """weights: magnitude bits beside the sign, 1 ... 8; activations: 2 ... 8."""

    weights: int = 4
    activations: int = 4

    def __post_init__(self) -> None:
        for name, low, high in (("weights", 1, 7), ("activations", 2, 8)):
            value = getattr(self, name)
            if not low <= value <= high:
                raise ValueError(f"bits of {name}: {value}; allowed: {low} to {high}")


def weight_step(weight: Tensor, bits: int) -> float:
    """The step 2^(S-b) of a tensor; 1 where all weights are zero."""
    largest = float(weight.detach().abs().max())
    if largest == 0.0:
        return 1.0
    mantissa, exponent = math.frexp(largest)  # largest = mantissa * 2^exponent, mantissa in [0.5, 1)
    return math.ldexp(1.0, exponent - (mantissa == 0.5) - bits)


def weight_codes(weight: Tensor, bits: int) -> tuple[Tensor, float]:
    """(codes as whole floats in the shape of the weight, step)."""
    step = weight_step(weight, bits)
    limit = (1 << bits) - 1
    return (weight.detach() / step).round_().clamp_(-limit, limit), step


class _RoundWeights(torch.autograd.Function):
    """Weights on their grid; the gradient passes as it is."""

    @staticmethod
    def forward(ctx: Any, weight: Tensor, bits: int) -> Tensor:
        codes, step = weight_codes(weight, bits)
        return codes.mul_(step)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return gradients[0], None


class _RoundInputs(torch.autograd.Function):
    """Inputs on a grid of codes low ... high; the gradient passes within the range."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: float, low: int, high: int) -> Tensor:
        codes = (x / scale).round_()
        held = codes.clamp(low, high)
        ctx.save_for_backward(held == codes)
        return held.mul_(scale)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None]:
        (inside,) = ctx.saved_tensors
        return gradients[0] * inside, None, None, None


def round_weights(weight: Tensor, bits: int) -> Tensor:
    """Weights as the crossbars hold them, times the step; straight-through gradient."""
    return _RoundWeights.apply(weight, bits)


class InputGrid(nn.Module):
    """The grid of a layer's inputs: follows the largest |x| of training batches (moving average), stays in evaluation."""

    largest: Tensor
    negative: Tensor
    batches: Tensor

    def __init__(self, bits: int, momentum: float = 0.1) -> None:
        super().__init__()
        self.bits, self.momentum = bits, momentum
        self.register_buffer("largest", torch.zeros(()))
        self.register_buffer("negative", torch.zeros((), dtype=torch.bool))
        self.register_buffer("batches", torch.zeros((), dtype=torch.long))

    def reset(self) -> None:
        """As if nothing had been seen."""
        for buffer in (self.largest, self.negative, self.batches):
            buffer.zero_()

    @torch.no_grad()
    def observe(self, x: Tensor) -> None:
        low, high = (float(limit) for limit in torch.aminmax(x))
        largest, before = max(-low, high), float(self.largest)
        self.largest.fill_(largest if int(self.batches) == 0 else before + self.momentum * (largest - before))
        if low < 0:
            self.negative.fill_(True)
        self.batches += 1

    def limits(self) -> tuple[int, int]:
        """The lowest and the highest code."""
        if bool(self.negative):
            top = (1 << (self.bits - 1)) - 1
            return -top, top
        return 0, (1 << self.bits) - 1

    def scale(self) -> float:
        """The step of a code, a float32 number; 1 where only zeros were seen."""
        largest = float(self.largest)
        return float(numpy.float32(largest / self.limits()[1])) if largest > 0 else 1.0

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            self.observe(x.detach())
        return _RoundInputs.apply(x, self.scale(), *self.limits())


class QuantisedConv2d(nn.Conv2d):
    """A convolution of rounded inputs with rounded weights."""

    weight_bits: int
    grid: InputGrid

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 (torch's name)
        return self._conv_forward(self.grid(input), round_weights(self.weight, self.weight_bits), self.bias)


class QuantisedLinear(nn.Linear):
    """A linear layer of rounded inputs with rounded weights."""

    weight_bits: int
    grid: InputGrid

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002
        return functional.linear(self.grid(input), round_weights(self.weight, self.weight_bits), self.bias)


QUANTISED = (QuantisedConv2d, QuantisedLinear)


def quantise(module: nn.Module, bits: Bits = Bits()) -> nn.Module:
    """Makes every Conv2d and Linear of a module quantised, in place; weights and their names stay. Returns the module.

    Raises ValueError for layers with weights that the crossbars' layers do not cover (other convolutions, recurrent layers).
    """
    refused = [f"{name} ({type(layer).__name__})" for name, layer in module.named_modules()
               if isinstance(layer, (nn.Conv1d, nn.Conv3d, nn.modules.conv._ConvTransposeNd, nn.RNNBase, nn.MultiheadAttention))
               or (isinstance(layer, nn.Conv2d) and layer.padding_mode != "zeros")]
    if refused:
        raise ValueError(f"layers that cannot be quantised: {', '.join(refused)}; allowed: Conv2d with zero padding, Linear")
    for layer in module.modules():
        if type(layer) in (nn.Conv2d, nn.Linear):
            layer.__class__ = QuantisedConv2d if isinstance(layer, nn.Conv2d) else QuantisedLinear
            layer.weight_bits = bits.weights
            layer.grid = InputGrid(bits.activations)
    return module


def quantised_layers(module: nn.Module) -> dict[str, Any]:
    """The quantised layers by name, in the order of the module."""
    return {name: layer for name, layer in module.named_modules() if isinstance(layer, QUANTISED)}


@torch.no_grad()
def calibrate(module: nn.Module, x: Tensor) -> None:
    """Sets the grids of all inputs to the extremes over the images `x` [N,...] (`minmax`), layer after layer as they run.

    Every grid is taken from the inputs that the layers before it, already quantised, make.
    """
    was_training = module.training
    module.eval()
    grids = [layer.grid for layer in quantised_layers(module).values()]
    for grid in grids:
        grid.reset()
        grid.training = True
    module(x)
    module.train(was_training)
