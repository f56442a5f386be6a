# SPDX-License-Identifier: Apache-2.0
"""What both example searches share: random cells, and the accuracy of a cell after a short training on the digits."""

from __future__ import annotations

import argparse
import dataclasses
import json
import random
from typing import Any

import torch

import bitline
from bitline.nas.checkpoint import seed_all
from bitline.nas.data import Images, digits
from bitline.nas.genotype import NODES, PRIMITIVES, Genotype
from bitline.nas.quantise import quantise
from bitline.nas.space import Network, Shape
from bitline.nas.train import Training, accuracy, fit

OPERATIONS = PRIMITIVES[1:]
#: The pairs of different states that a node can read.
PAIRS = tuple(tuple((a, b) for b in range(node + 2) for a in range(b)) for node in range(NODES))


def genotype_of(choices: dict[str, list[tuple[tuple[int, int], str, str]]]) -> Genotype:
    """From what each node reads and does with it: {"normal": [((0, 1), operation, operation), ...], "reduce": ...}."""
    cells = {kind: tuple(edge for (a, b), first, second in nodes for edge in ((first, a), (second, b))) for kind, nodes in choices.items()}
    return Genotype(**cells)


def random_choices(chance: random.Random) -> dict[str, list[tuple[tuple[int, int], str, str]]]:
    return {kind: [(chance.choice(pairs), chance.choice(OPERATIONS), chance.choice(OPERATIONS)) for pairs in PAIRS]
            for kind in ("normal", "reduce")}


@dataclasses.dataclass(frozen=True)
class Proxy:
    """How cells are judged. The held-out images of the digits are not used: a quarter of the training images stands for them."""

    layers: int = 3
    channels: int = 4
    epochs: int = 3
    images: int = 1437
    seed: int = 1

    def accuracy(self, genotype: Genotype) -> float:
        """Share of right answers of the quantised network, 4-bit weights and activations, after its training."""
        given = digits()
        train = self.images * 3 // 4
        images = Images("digits", given.train_x[:train], given.train_y[:train], given.train_x[train:self.images],
                        given.train_y[train:self.images])
        seed_all(self.seed)
        torch.set_num_threads(1)
        network = quantise(Network(genotype, Shape(self.layers, self.channels, image=images.image)))
        fit(network, images, Training(epochs=self.epochs, regulariser="none"))
        return accuracy(network, images.test_x, images.test_y)

    def network(self, genotype: Genotype) -> bitline.Genotype:
        """What the oracle is asked about: the same cells, layers and channels on 8x8 pixels (of three colours)."""
        return bitline.Genotype(genotype.as_dict(), layers=self.layers, channels=self.channels, resolution=8)


def arguments(description: str) -> argparse.ArgumentParser:
    """The options that both searches have."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--arch", default="configs/isaac-8bit.yaml", help="the machine")
    parser.add_argument("--seed", type=int, default=1)
    for field in dataclasses.fields(Proxy):
        if field.name != "seed":
            parser.add_argument(f"--{field.name}", type=int, default=field.default, help="of the proxy")
    parser.add_argument("--out", help="write the results here as JSON")
    return parser


def proxy_of(options: argparse.Namespace) -> Proxy:
    return Proxy(**{field.name: getattr(options, field.name) for field in dataclasses.fields(Proxy)})


def report(rows: list[dict[str, Any]], out: str | None) -> None:
    """A line for each network, cheapest first; and the file."""
    for row in sorted(rows, key=lambda r: float(r["energy_j"])):
        cells = "  ".join(f"{op},{state}" for op, state in row["genotype"]["normal"])
        print(f"{row['accuracy']:7.2%}  {row['energy_j'] * 1e9:8.1f} nJ  {row['latency_s'] * 1e6:8.1f} us   {cells}")
    if out:
        with open(out, "w", encoding="utf-8") as file:
            json.dump(rows, file, indent=1)
            file.write("\n")
