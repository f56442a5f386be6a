# SPDX-License-Identifier: Apache-2.0
"""Genotypes of the DARTS space: published ones, JSON, and the discretisation of a search."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

#: In the order of the columns of architecture weights (DARTS's genotypes.py).
PRIMITIVES = ("none", "max_pool_3x3", "avg_pool_3x3", "skip_connect", "sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3", "dil_conv_5x5")
NODES = 4
#: Edges of a cell in the order of the rows of architecture weights: (node, input), node i has inputs 0 ... i+1.
EDGES = tuple((node, source) for node in range(NODES) for source in range(2 + node))

Edge = tuple[str, int]


@dataclasses.dataclass(frozen=True)
class Genotype:
    """Eight (operation, input) pairs per cell; pairs 2i and 2i+1 are summed in node i+2. All nodes are the cell's output."""

    normal: tuple[Edge, ...]
    reduce: tuple[Edge, ...]

    def __post_init__(self) -> None:
        problems = [f"{kind}: {fault}" for kind in ("normal", "reduce") for fault in _faults(getattr(self, kind))]
        if problems:
            raise ValueError("; ".join(problems))

    def edges(self, reduction: bool) -> tuple[Edge, ...]:
        return self.reduce if reduction else self.normal

    def as_dict(self) -> dict[str, list[list[Any]]]:
        """As `bitline workload make darts --genotype` and `CostOracle` take it."""
        return {kind: [list(edge) for edge in getattr(self, kind)] for kind in ("normal", "reduce")}

    @classmethod
    def of(cls, given: Any) -> Genotype:
        """From a published name, a mapping, a JSON file, or a Genotype. Raises ValueError saying what is wrong with it."""
        if isinstance(given, Genotype):
            return given
        if isinstance(given, str) and given in PUBLISHED:
            return PUBLISHED[given]
        if isinstance(given, (str, os.PathLike)):
            return cls._read(pathlib.Path(given))
        if not isinstance(given, Mapping) or not {"normal", "reduce"} <= set(given):
            raise ValueError("a genotype has 'normal' and 'reduce'")
        for kind in ("normal_concat", "reduce_concat"):
            if list(given.get(kind, range(2, 6))) != [2, 3, 4, 5]:
                raise ValueError(f"{kind}: {given[kind]}; allowed: 2, 3, 4, 5")
        unknown = set(given) - {"normal", "reduce", "normal_concat", "reduce_concat"}
        if unknown:
            raise ValueError(f"unknown keys: {', '.join(sorted(unknown))}")
        return cls(*(tuple(tuple(edge) if isinstance(edge, (list, tuple)) else edge for edge in given[kind])
                     if isinstance(given[kind], (list, tuple)) else (given[kind],) for kind in ("normal", "reduce")))

    @classmethod
    def _read(cls, path: pathlib.Path) -> Genotype:
        try:
            return cls.of(json.loads(path.read_text()))
        except OSError as error:
            raise ValueError(f"genotype {path}: {error.strerror}; allowed: {', '.join(PUBLISHED)}, or a JSON file") from None
        except ValueError as error:
            raise ValueError(f"genotype {path}: {error}") from None


def _faults(edges: Sequence[Any]) -> list[str]:
    if len(edges) != 2 * NODES:
        return [f"{len(edges)} pairs; allowed: {2 * NODES}, two for each node"]
    faults = []
    for at, edge in enumerate(edges):
        if not isinstance(edge, tuple) or len(edge) != 2:
            faults.append(f"pair {at} is {edge!r}; allowed: [operation, input]")
        elif edge[0] not in PRIMITIVES:
            faults.append(f"pair {at}: operation {edge[0]!r}; allowed: {', '.join(PRIMITIVES)}")
        elif type(edge[1]) is not int or not 0 <= edge[1] < 2 + at // 2:
            faults.append(f"pair {at}: input {edge[1]!r}; allowed: 0 to {1 + at // 2}")
    return faults


def discretise(weights: Mapping[str, Sequence[Sequence[float]]]) -> Genotype:
    """The genotype of architecture weights: of each node the two inputs whose best operation, `none` excluded, weighs most.

    weights: "normal" and "reduce" to [14 edges][8 primitives], softmax already taken (and multiplied by the weights of edges in
    PC-DARTS). At a tie the lower input and the earlier primitive win.
    """
    return Genotype(*(tuple(_best_edges(weights[kind])) for kind in ("normal", "reduce")))


def _best_edges(rows: Sequence[Sequence[float]]) -> list[Edge]:
    chosen: list[Edge] = []
    for node in range(NODES):
        options = []
        for (end, source), row in zip(EDGES, rows):
            if end == node:
                best = max(range(1, len(PRIMITIVES)), key=lambda p, row=row: (row[p], -p))
                options.append((row[best], -source, PRIMITIVES[best]))
        strongest = sorted(options, key=lambda option: option[:2], reverse=True)[:2]
        chosen += [(op, -source) for _, source, op in sorted(strongest, key=lambda option: -option[1])]
    return chosen


PUBLISHED = {
    "DARTS_V1": Genotype(
        (("sep_conv_3x3", 1), ("sep_conv_3x3", 0), ("skip_connect", 0), ("sep_conv_3x3", 1),
         ("skip_connect", 0), ("sep_conv_3x3", 1), ("sep_conv_3x3", 0), ("skip_connect", 2)),
        (("max_pool_3x3", 0), ("max_pool_3x3", 1), ("skip_connect", 2), ("max_pool_3x3", 0),
         ("max_pool_3x3", 0), ("skip_connect", 2), ("skip_connect", 2), ("avg_pool_3x3", 0))),
    "DARTS_V2": Genotype(
        (("sep_conv_3x3", 0), ("sep_conv_3x3", 1), ("sep_conv_3x3", 0), ("sep_conv_3x3", 1),
         ("sep_conv_3x3", 1), ("skip_connect", 0), ("skip_connect", 0), ("dil_conv_3x3", 2)),
        (("max_pool_3x3", 0), ("max_pool_3x3", 1), ("skip_connect", 2), ("max_pool_3x3", 1),
         ("max_pool_3x3", 0), ("skip_connect", 2), ("skip_connect", 2), ("max_pool_3x3", 1))),
    "PC_DARTS": Genotype(
        (("sep_conv_3x3", 1), ("skip_connect", 0), ("sep_conv_3x3", 0), ("dil_conv_3x3", 1),
         ("sep_conv_5x5", 0), ("sep_conv_3x3", 1), ("avg_pool_3x3", 0), ("dil_conv_3x3", 1)),
        (("sep_conv_5x5", 1), ("max_pool_3x3", 0), ("sep_conv_5x5", 1), ("sep_conv_5x5", 2),
         ("sep_conv_3x3", 0), ("sep_conv_3x3", 3), ("sep_conv_3x3", 1), ("sep_conv_3x3", 2))),
}
