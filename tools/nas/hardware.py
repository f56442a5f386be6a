# SPDX-License-Identifier: Apache-2.0
"""What the architecture weights of a supernet cost on a machine, as a number with a gradient.

Both sources take an edge's operations with the softmax of its architecture weights without `none` (which no cell keeps), and an edge
as kept with the probability n_e: two of the inputs of its node, in PC-DARTS by the weights of edges.

lut: the table of `bitline lut` and bitline.torch's expectation over it.
oracle: the analytic oracle is asked for 2 x 14 x 7 networks, all cells of a kind equal but for one edge: each (edge, operation) on a
base cell of skip connections. The expectation is taken over these differences:

    E = base + sum over edges e of n_e * sum over operations p of w[e,p] * (cost[e,p] - base)
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

import bitline
from bitline.nas.genotype import EDGES, PRIMITIVES, Edge
from bitline.nas.space import Shape
from bitline.nas.supernet import KINDS, Supernet

METRICS = ("energy", "latency", "edp")
_FIGURE = {"energy": "energy_j", "latency": "latency_s", "edp": "edp_js"}
_BASE: tuple[Edge, ...] = (("skip_connect", 0), ("skip_connect", 1)) * 4


@dataclasses.dataclass(frozen=True)
class ExpectedCost:
    """base: cost of the network of base cells; differences: per kind of cell [14 edges][7 operations, `none` left out]."""

    base: float
    differences: Mapping[str, Tensor]

    def __call__(self, supernet: Supernet) -> Tensor:
        """The expected cost over that of equal architecture weights: 1 where a search starts."""
        operations, edges = probabilities(supernet)
        device = edges["normal"].device
        equal = self._expected({kind: torch.full_like(d, 1 / d.shape[1]) for kind, d in self.differences.items()},
                               {kind: _equal_edges(torch.device("cpu")) for kind in KINDS})
        moved = dataclasses.replace(self, differences={kind: d.to(device) for kind, d in self.differences.items()})
        return moved._expected(operations, edges) / float(equal)

    def _expected(self, operations: Mapping[str, Tensor], edges: Mapping[str, Tensor]) -> Tensor:
        parts = [(edges[kind] * (operations[kind] * d).sum(1)).sum() for kind, d in self.differences.items()]
        return self.base + sum(parts[1:], parts[0])


class TableCost:
    """The same from a table of `bitline lut` made for the network (a bitline.tables.CostTable)."""

    def __init__(self, table: Any, metric: str) -> None:
        from bitline.torch import SupernetCost

        self._cost, self._figure = SupernetCost(table, PRIMITIVES), _FIGURE[metric]
        with torch.no_grad():
            equal = torch.full((len(EDGES), len(PRIMITIVES) - 1), 1 / (len(PRIMITIVES) - 1), dtype=torch.float64)
            self._equal = float(self._expected({kind: equal for kind in KINDS}, {kind: _equal_edges(equal.device) for kind in KINDS}))

    def __call__(self, supernet: Supernet) -> Tensor:
        return self._expected(*probabilities(supernet)) / self._equal

    def _expected(self, operations: Mapping[str, Tensor], edges: Mapping[str, Tensor]) -> Tensor:
        chances = [torch.nn.functional.pad(operations[kind], (1, 0)) for kind in KINDS]  # `none` is not taken
        figures = self._cost.expected(*chances, *(edges[kind] for kind in KINDS))
        value: Tensor = getattr(figures, self._figure)
        return value


def probabilities(supernet: Supernet) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Per kind of cell: [14,7] of operations without `none`, [14] of edges' being kept."""
    operations, edges = {}, {}
    for kind in KINDS:
        weights = supernet.operation_weights(kind)[:, 1:]
        operations[kind] = weights / weights.sum(1, keepdim=True)
        edges[kind] = _equal_edges(weights.device) if supernet.partial == 1 else (2 * supernet.edge_weights(kind)).clamp(max=1.0)
    return operations, edges


def _equal_edges(device: torch.device) -> Tensor:
    return torch.tensor([2 / (2 + node) for node, _ in EDGES], device=device)


def _with(edge: int, operation: str) -> list[list[Any]]:
    """The base cell with one input of a node taken through an operation."""
    node, source = EDGES[edge]
    cell = [list(pair) for pair in _BASE]
    cell[2 * node] = [operation, source]
    return cell


def _require(metric: str) -> None:
    if metric not in METRICS:
        raise ValueError(f"hardware metric: '{metric}'; allowed: {', '.join(METRICS)}")


def from_table(arch: str, shape: Shape, metric: str, sets: Mapping[str, Any]) -> TableCost:
    """Asks `bitline lut` for a machine. Raises ValueError for an unknown metric, a BitlineError of the command."""
    _require(metric)
    return TableCost(bitline.lut(arch, layers=shape.layers, channels=shape.channels, classes=shape.classes, resolution=shape.image[1],
                                 set=dict(sets)), metric)


def from_oracle(arch: str, shape: Shape, metric: str, sets: Mapping[str, Any]) -> ExpectedCost:
    """Asks the analytic oracle for a machine. Raises ValueError for an unknown metric, a BitlineError of the oracle."""
    _require(metric)
    size = {"layers": shape.layers, "channels": shape.channels, "classes": shape.classes, "resolution": shape.image[1]}
    base = [list(pair) for pair in _BASE]
    cells = [{"normal": base, "reduce": base}]
    cells += [{"normal": base, "reduce": base, kind: _with(edge, operation)}
              for kind in KINDS for edge in range(len(EDGES)) for operation in PRIMITIVES[1:]]
    with bitline.CostOracle(arch, set=dict(sets), jobs=1) as oracle:
        figures = [cost[_FIGURE[metric]] for cost in oracle.evaluate_many(bitline.Genotype(cell, **size) for cell in cells)]
    differences = torch.tensor(figures[1:], dtype=torch.float64).view(len(KINDS), len(EDGES), -1) - figures[0]
    # In units of the base: float32 keeps them.
    return ExpectedCost(1.0, {kind: (differences[k] / figures[0]).float() for k, kind in enumerate(KINDS)})
