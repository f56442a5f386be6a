# SPDX-License-Identifier: Apache-2.0
"""Bit slices of weights, and what a training may be charged for them.

The magnitude code m of a weight is cut into slices, most significant first: slice k with w_k bits and everything below it
2^h_k has B_k = floor(m / 2^h_k) mod 2^w_k. Penalties, in units of the weights (step = that of the codes):

    l1           sum |w|, of the rounded weights:           gradient sign(w)
    bitslice-l1  step * sum_k B_k:                          gradient sign(w) * sum over k with B_k > 0 of 2^-h_k

The gradient of a slice passes straight through its floor; what higher slices took away counts as constant (with it, all but
the first slice would have gradient zero). A slice that is zero pulls no further, as |x| at 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from bitline.nas.quantise import quantised_layers, weight_codes, weight_step

REGULARISERS = ("none", "l1", "bitslice-l1")


def slice_widths(bits: int, bits_per_cell: int) -> tuple[int, ...]:
    """Widths of the slices of a code, most significant first: the top one narrower where it does not divide."""
    if not 1 <= bits_per_cell <= 8:
        raise ValueError(f"bits per cell: {bits_per_cell}; allowed: 1 to 8")
    top = bits % bits_per_cell
    return (*((top,) if top else ()), *(bits_per_cell,) * (bits // bits_per_cell))


def _shifts(widths: Sequence[int]) -> list[int]:
    return [sum(widths[k + 1:]) for k in range(len(widths))]


def cut(magnitude: Tensor, widths: Sequence[int]) -> Tensor:
    """Slices [K,...] of non-negative whole codes [...], most significant first."""
    return torch.stack([torch.floor(magnitude / 2 ** shift) % 2 ** width for width, shift in zip(widths, _shifts(widths))])


class _Charge(torch.autograd.Function):
    """step * (sum of slices, or of magnitudes where there are no widths) over all weights of several tensors, as one number."""

    @staticmethod
    def forward(ctx: Any, bits: int, widths: Sequence[int], *weights: Tensor) -> Tensor:
        sizes = [weight.numel() for weight in weights]
        steps = torch.tensor([weight_step(weight, bits) for weight in weights], device=weights[0].device)
        step = torch.repeat_interleave(steps, torch.tensor(sizes, device=steps.device))
        limit = (1 << bits) - 1
        codes = (torch.cat([weight.detach().flatten() for weight in weights]) / step).round_().clamp_(-limit, limit)
        magnitude = codes.abs()
        total, pull = (torch.zeros_like(codes), torch.zeros_like(codes)) if widths else (magnitude, torch.ones_like(codes))
        for width, shift in zip(widths, _shifts(widths)):
            cells = torch.floor(magnitude / 2 ** shift) % 2 ** width
            total += cells
            pull += (cells > 0) * 2.0 ** -shift
        ctx.save_for_backward(pull * codes.sign())
        ctx.shapes, ctx.sizes = [weight.shape for weight in weights], sizes
        return (total * step).sum()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (pull,) = ctx.saved_tensors
        parts = (gradients[0] * pull).split(ctx.sizes)
        return None, None, *(part.view(shape) for part, shape in zip(parts, ctx.shapes))


def penalty(module: nn.Module, regulariser: str, bits_per_cell: int) -> Tensor:
    """The penalty of all quantised layers of a module, as one number. 0 for "none"."""
    if regulariser not in REGULARISERS:
        raise ValueError(f"regulariser: '{regulariser}'; allowed: {', '.join(REGULARISERS)}")
    by_bits: dict[int, list[Tensor]] = {}
    for layer in quantised_layers(module).values():
        by_bits.setdefault(layer.weight_bits, []).append(layer.weight)
    total = torch.zeros((), device=next(module.parameters()).device)
    for bits, weights in by_bits.items() if regulariser != "none" else ():
        total = total + _Charge.apply(bits, slice_widths(bits, bits_per_cell) if regulariser == "bitslice-l1" else (), *weights)
    return total


@torch.no_grad()
def nonzero_ratios(module: nn.Module, bits_per_cell: int) -> list[float]:
    """Share of weights whose slice is not zero, per slice over all layers, most significant first.

    Layers of different bits are aligned at their least significant slice. With a positive and a negative array for each weight
    the share of non-zero cells is half of it.
    """
    counts: dict[int, list[int]] = {}
    for layer in quantised_layers(module).values():
        widths = slice_widths(layer.weight_bits, bits_per_cell)
        cells = cut(weight_codes(layer.weight, layer.weight_bits)[0].abs(), widths)
        for place, plane in enumerate(reversed(cells.unbind())):
            count = counts.setdefault(place, [0, 0])
            count[0] += int(torch.count_nonzero(plane))
            count[1] += plane.numel()
    return [counts[place][0] / counts[place][1] for place in sorted(counts, reverse=True)]
