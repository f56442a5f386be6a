# SPDX-License-Identifier: Apache-2.0
"""Differentiable search: weights and architecture weights in turns, each on its half of the training images."""

from __future__ import annotations

import dataclasses
import math
import pathlib
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from bitline.nas import checkpoint
from bitline.nas.data import Images, augment, batches
from bitline.nas.genotype import Genotype
from bitline.nas.slices import REGULARISERS, penalty
from bitline.nas.supernet import Supernet
from bitline.nas.train import Progress, Saver, require, require_finite


@dataclasses.dataclass(frozen=True)
class Search:
    """SGD for weights (momentum, cosine down to a twenty-fifth), Adam for architecture weights, after `warmup` epochs.

    second_order: the architecture gradient looks one step of the weights ahead (DARTS's unrolled gradient, three times the work).
    hardware: times the relative expected cost, added to the architecture's loss.
    """

    epochs: int = 8
    warmup: int = 2
    batch: int = 64
    learning_rate: float = 0.05
    momentum: float = 0.9
    weight_decay: float = 3e-4
    arch_learning_rate: float = 0.01
    arch_weight_decay: float = 1e-3
    second_order: bool = False
    hardware: float = 0.5
    regulariser: str = "bitslice-l1"
    strength: float = 1e-5
    bits_per_cell: int = 2

    def __post_init__(self) -> None:
        require({"search epochs": (self.epochs, 1, 10_000), "warmup epochs": (self.warmup, 0, 10_000),
                 "search batch": (self.batch, 2, 65_536), "search learning rate": (self.learning_rate, 1e-9, 1e3),
                 "learning rate of the architecture": (self.arch_learning_rate, 0, 1e3), "search strength": (self.strength, 0, 1e6),
                 "hardware weight": (self.hardware, 0, 1e6), "momentum": (self.momentum, 0, 0.999),
                 "weight decay": (self.weight_decay, 0, 1e3), "weight decay of the architecture": (self.arch_weight_decay, 0, 1e3),
                 "bits per cell": (self.bits_per_cell, 1, 8)})
        if self.regulariser not in REGULARISERS:
            raise ValueError(f"regulariser: '{self.regulariser}'; allowed: {', '.join(REGULARISERS)}")


def unrolled_gradients(arch: Sequence[nn.Parameter], weights: Sequence[nn.Parameter], train_loss: Callable[[], Tensor],
                       judge_loss: Callable[[], Tensor], step: Callable[[nn.Parameter, Tensor], Tensor], rate: float) -> list[Tensor]:
    """Gradients of judge_loss by the architecture at the weights after one step on train_loss (Liu et al., ICLR 2019, eq. 7, 8).

    step: the change that the optimiser would make to a weight of this gradient, over its rate. The Hessian-vector product is a
    central difference of width 0.01 over the norm of the vector. The weights are as before when it returns.
    """
    before = [w.detach().clone() for w in weights]

    def place(offset: Sequence[Tensor], factor: float) -> None:
        with torch.no_grad():
            for w, b, o in zip(weights, before, offset):
                w.copy_(b + factor * o)

    gradients = torch.autograd.grad(train_loss(), weights)
    place([step(w, g) for w, g in zip(weights, gradients)], -rate)
    both = torch.autograd.grad(judge_loss(), [*arch, *weights])
    direct, vector = both[:len(arch)], both[len(arch):]
    width = 0.01 / max(1e-12, float(torch.sqrt(sum((v * v).sum() for v in vector))))
    place(vector, width)
    above = torch.autograd.grad(train_loss(), arch)
    place(vector, -width)
    below = torch.autograd.grad(train_loss(), arch)
    place(vector, 0.0)
    return [d - rate * (a - b) / (2 * width) for d, a, b in zip(direct, above, below)]


class Searcher:
    """A search that can be stopped after any epoch and gone on with."""

    def __init__(self, supernet: Supernet, images: Images, settings: Search, cost: Callable[[Supernet], Tensor] | None = None) -> None:
        self.supernet, self.settings, self.cost = supernet, settings, cost
        half = len(images.train_x) // 2
        self._images = images
        self._weight_half = images.train_x[:half], images.train_y[:half]
        self._judge_half = images.train_x[half:], images.train_y[half:]
        self._weights = torch.optim.SGD(supernet.weights(), settings.learning_rate, settings.momentum,
                                        weight_decay=settings.weight_decay)
        self._arch = torch.optim.Adam(supernet.architecture(), settings.arch_learning_rate, (0.5, 0.999),
                                      weight_decay=settings.arch_weight_decay)
        self.epoch = 0

    def run(self, *, path: pathlib.Path | None = None, seconds: float = 5.0,
            progress: Progress = lambda what, done, of: None) -> Genotype:
        """The genotype found; goes on from the checkpoint `path` where there is one, with the same result."""
        if path is not None and (state := checkpoint.load(path, self._images.train_x.device)) is not None:
            self.load_state(state)
        saver = Saver(path, seconds)
        while self.epoch < self.settings.epochs:
            self._train_epoch()
            self.epoch += 1
            saver(self.state, self.epoch == self.settings.epochs)
            progress("search", self.epoch, self.settings.epochs)
        return self.supernet.genotype()

    def state(self) -> dict[str, Any]:
        return {"supernet": self.supernet.state_dict(), "weights": self._weights.state_dict(), "arch": self._arch.state_dict(),
                "epoch": self.epoch}

    def load_state(self, state: dict[str, Any]) -> None:
        self.supernet.load_state_dict(state["supernet"])
        self._weights.load_state_dict(state["weights"])
        self._arch.load_state_dict(state["arch"])
        self.epoch = state["epoch"]

    def _train_epoch(self) -> None:
        s = self.settings
        self.supernet.train()
        rate = s.learning_rate * (0.04 + 0.96 * 0.5 * (1 + math.cos(math.pi * self.epoch / s.epochs)))
        for group in self._weights.param_groups:
            group["lr"] = rate
        judged = iter(())
        for x, y in batches(*self._weight_half, s.batch):
            x = augment(x, self._images.shift, self._images.flip)
            if self.epoch >= s.warmup:
                pair = next(judged, None)
                if pair is None:
                    judged = batches(*self._judge_half, s.batch)
                    pair = next(judged)
                self._architecture_step(pair, (x, y), rate)
            self._weight_step(x, y)

    def _train_loss(self, x: Tensor, y: Tensor) -> Tensor:
        loss = functional.cross_entropy(self.supernet(x), y)
        if self.settings.strength:
            loss = loss + self.settings.strength * penalty(self.supernet, self.settings.regulariser, self.settings.bits_per_cell)
        require_finite(loss, "search")
        return loss

    def _judge_loss(self, x: Tensor, y: Tensor) -> Tensor:
        loss = functional.cross_entropy(self.supernet(x), y)
        if self.cost is not None and self.settings.hardware:
            loss = loss + self.settings.hardware * self.cost(self.supernet)
        return loss

    def _weight_step(self, x: Tensor, y: Tensor) -> None:
        """The bit-slice sparsity step: the weights follow the loss and the penalty of their slices."""
        weights = self.supernet.weights()
        gradients = torch.autograd.grad(self._train_loss(x, y), weights, allow_unused=True)
        for weight, gradient in zip(weights, gradients):
            weight.grad = gradient
        nn.utils.clip_grad_norm_(weights, 5.0)
        self._weights.step()

    def _architecture_step(self, judged: tuple[Tensor, Tensor], trained: tuple[Tensor, Tensor], rate: float) -> None:
        arch = self.supernet.architecture()
        if self.settings.second_order:
            gradients: Sequence[Tensor] = unrolled_gradients(
                arch, self.supernet.weights(), lambda: self._train_loss(*trained), lambda: self._judge_loss(*judged),
                self._direction, rate)
        else:
            gradients = torch.autograd.grad(self._judge_loss(*judged), arch)
        for parameter, gradient in zip(arch, gradients):
            parameter.grad = gradient
        self._arch.step()

    def _direction(self, weight: nn.Parameter, gradient: Tensor) -> Tensor:
        """What SGD would move the weight along: gradient, decay, and momentum so far."""
        buffer = self._weights.state.get(weight, {}).get("momentum_buffer")
        along = gradient + self.settings.weight_decay * weight
        return along if buffer is None else along + self.settings.momentum * buffer
