# SPDX-License-Identifier: Apache-2.0
"""Training of one network with quantised layers, with what its weights or their bit slices are charged."""

from __future__ import annotations

import dataclasses
import math
import pathlib
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from bitline.nas import checkpoint
from bitline.nas.data import Images, augment, batches
from bitline.nas.slices import REGULARISERS, nonzero_ratios, penalty

#: Told (what, done, of) after every step of work.
Progress = Callable[[str, int, int], None]


@dataclasses.dataclass(frozen=True)
class Training:
    """AdamW, a learning rate that rises over a tenth of the steps and falls as a cosine, label smoothing of 0.05.

    strength: times the penalty (in units of the weights), added to the loss. target: share of slices that shall not be zero, mean of
    the slices (see nonzero_ratios); after every epoch the strength is multiplied by exp((share / target - 1) / 2), at most by e^(1/2),
    so that networks are compared at the same sparsity.
    """

    epochs: int = 40
    batch: int = 64
    learning_rate: float = 3e-3
    weight_decay: float = 1e-2
    regulariser: str = "bitslice-l1"
    strength: float = 1e-4
    bits_per_cell: int = 2
    target: float | None = None

    def __post_init__(self) -> None:
        require({"epochs": (self.epochs, 0, 10_000), "batch": (self.batch, 2, 65_536), "strength": (self.strength, 0, 1e6),
                 "target": (1.0 if self.target is None else self.target, 1e-3, 1),
                 "learning rate": (self.learning_rate, 1e-9, 1e3), "weight decay": (self.weight_decay, 0, 1e3),
                 "bits per cell": (self.bits_per_cell, 1, 8)})
        if self.regulariser not in REGULARISERS:
            raise ValueError(f"regulariser: '{self.regulariser}'; allowed: {', '.join(REGULARISERS)}")


def require(ranges: dict[str, tuple[float, float, float]]) -> None:
    """Raises ValueError naming every value that is not within its (low, high)."""
    faults = [f"{name}: {value}; allowed: {low:g} to {high:g}" for name, (value, low, high) in ranges.items()
              if not low <= value <= high]
    if faults:
        raise ValueError("; ".join(faults))


class Saver:
    """Writes a checkpoint where the last is older than so many seconds, or where it must."""

    def __init__(self, path: pathlib.Path | None, seconds: float) -> None:
        self._path, self._seconds, self._last = path, seconds, time.monotonic()

    def __call__(self, state: Callable[[], dict[str, Any]], must: bool) -> None:
        if self._path is not None and (must or time.monotonic() - self._last >= self._seconds):
            checkpoint.save(self._path, state())
            self._last = time.monotonic()


def require_finite(loss: Tensor, what: str) -> None:
    if not bool(torch.isfinite(loss)):
        raise ArithmeticError(f"{what}: the loss is not finite any more; remedy: a lower learning rate or strength")


def _rate(step: int, steps: int) -> float:
    """Share of the learning rate."""
    warm = max(1, steps // 10)
    return (step + 1) / warm if step < warm else 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))


def fit(module: nn.Module, images: Images, training: Training, *, path: pathlib.Path | None = None, seconds: float = 5.0,
        progress: Progress = lambda what, done, of: None, what: str = "train") -> None:
    """Trains in place on the training images; goes on from the checkpoint `path` where there is one, with the same result.

    seconds: between two checkpoints. Leaves the module in evaluation mode. Raises ArithmeticError where the loss is not finite.
    """
    optimiser = torch.optim.AdamW(module.parameters(), lr=training.learning_rate, weight_decay=training.weight_decay)
    first, strength, device = 0, training.strength, images.train_x.device
    if path is not None and (state := checkpoint.load(path, device)) is not None:
        module.load_state_dict(state["module"])
        optimiser.load_state_dict(state["optimiser"])
        first, strength = state["epoch"], state["strength"]
    saver = Saver(path, seconds)
    steps_per_epoch = sum(1 for _ in range(0, len(images.train_x), training.batch))
    for epoch in range(first, training.epochs):
        module.train()
        for step, (x, y) in enumerate(batches(images.train_x, images.train_y, training.batch)):
            rate = _rate(epoch * steps_per_epoch + step, training.epochs * steps_per_epoch)
            for group in optimiser.param_groups:
                group["lr"] = training.learning_rate * rate
            loss = functional.cross_entropy(module(augment(x, images.shift, images.flip)), y, label_smoothing=0.05)
            if strength and training.regulariser != "none":
                loss = loss + strength * penalty(module, training.regulariser, training.bits_per_cell)
            require_finite(loss, what)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(module.parameters(), 5.0)
            optimiser.step()
        if training.target is not None:
            ratios = nonzero_ratios(module, training.bits_per_cell)
            strength *= math.exp(min(1.0, sum(ratios) / len(ratios) / training.target - 1) / 2)
        saver(lambda: {"module": module.state_dict(), "optimiser": optimiser.state_dict(), "epoch": epoch + 1, "strength": strength},
              epoch + 1 == training.epochs)
        progress(what, epoch + 1, training.epochs)
    module.eval()


@torch.no_grad()
def accuracy(module: nn.Module, x: Tensor, y: Tensor, batch: int = 256) -> float:
    """Share of images whose largest output is their label; in evaluation mode."""
    module.eval()
    right = sum(int((module(x[i:i + batch]).argmax(1) == y[i:i + batch]).sum()) for i in range(0, len(x), batch))
    return right / len(x)
