# SPDX-License-Identifier: Apache-2.0
"""What the architecture weights of a supernet cost on a machine, as a number with a gradient.

The cost oracle is asked for 2 x 14 x 7 networks, all cells equal but for one edge: each (edge, operation) on a base cell of
skip connections. The expectation is taken over these differences:

    E = base + sum over edges e of n_e * sum over operations p of w[e,p] * (cost[e,p] - base)

with w the softmax of the edge's architecture weights without `none` (which no cell keeps), and n_e the share of cells that keep
the edge: two of the inputs of its node, by the weights of edges in PC-DARTS.
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

METRICS = ("energy", "latency", "edp", "area")
_FIGURE = {"energy": "energy_j", "latency": "latency_s", "edp": "edp_js", "area": "area_mm2"}
_BASE: tuple[Edge, ...] = (("skip_connect", 0), ("skip_connect", 1)) * 4


@dataclasses.dataclass(frozen=True)
class ExpectedCost:
    """base: cost of the network of base cells; differences: per kind of cell [14 edges][7 operations, `none` left out]."""

    base: float
    differences: Mapping[str, Tensor]

    def __call__(self, supernet: Supernet) -> Tensor:
        """The expected cost over that of equal architecture weights: 1 where a search starts."""
        equal = self._expected({kind: torch.full_like(d, 1 / d.shape[1]) for kind, d in self.differences.items()},
                               {kind: _equal_edges(d.device) for kind, d in self.differences.items()})
        operations, edges = {}, {}
        for kind in KINDS:
            weights = supernet.operation_weights(kind)[:, 1:]
            operations[kind] = weights / weights.sum(1, keepdim=True)
            device = weights.device
            edges[kind] = _equal_edges(device) if supernet.partial == 1 else 2 * supernet.edge_weights(kind)
        return self._expected(operations, edges) / equal

    def _expected(self, operations: Mapping[str, Tensor], edges: Mapping[str, Tensor]) -> Tensor:
        parts = [(edges[kind] * (operations[kind] * d).sum(1)).sum() for kind, d in self.differences.items()]
        return self.base + sum(parts[1:], parts[0])

    def to(self, device: torch.device) -> ExpectedCost:
        return dataclasses.replace(self, differences={kind: d.to(device) for kind, d in self.differences.items()})


def _equal_edges(device: torch.device) -> Tensor:
    return torch.tensor([2 / (2 + node) for node, _ in EDGES], device=device)


def _with(edge: int, operation: str) -> list[list[Any]]:
    """The base cell with one input of a node taken through an operation."""
    node, source = EDGES[edge]
    cell = [list(pair) for pair in _BASE]
    cell[2 * node] = [operation, source]
    return cell


def from_oracle(arch: str, shape: Shape, metric: str, sets: Mapping[str, Any]) -> ExpectedCost:
    """Asks the analytic oracle for a machine. Raises ValueError for an unknown metric, a BitlineError of the oracle."""
    if metric not in METRICS:
        raise ValueError(f"hardware metric: '{metric}'; allowed: {', '.join(METRICS)}")
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
