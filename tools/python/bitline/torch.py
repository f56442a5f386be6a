# SPDX-License-Identifier: Apache-2.0
"""The expected cost of a DARTS supernet under its architecture weights, differentiable. Needs PyTorch; `import bitline` does not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Optional

import torch

from bitline.errors import UsageError
from bitline.tables import EDGES, NODES, Cell, CostTable

Tensor = torch.Tensor
#: Edges that a node keeps when the supernet is discretised.
KEPT = 2


class ExpectedCost(NamedTuple):
    """Scalars with gradients; names carry their units."""

    latency_s: Tensor
    interval_s: Tensor
    energy_j: Tensor
    edp_js: Tensor
    crossbars: Tensor
    area_mm2: Tensor


def edge_probabilities(logits: Tensor) -> Tensor:
    """PC-DARTS's edge weights [14] as the probability that a node keeps an edge: KEPT times their softmax over the node's edges,
    at most 1."""
    kept, start = [], 0
    for node in range(2, 2 + NODES):
        kept.append((KEPT * torch.softmax(logits[start:start + node], 0)).clamp(max=1.0))
        start += node
    return torch.cat(kept)


class SupernetCost:
    """What a table's network costs when every edge takes an operation at random, with the supernet's probabilities.

    Energy, crossbars and area are the exact expectations (static energy: at the expected latency). Interval: that of the part
    with the largest expected work. Latency: that interval and the expected delays along the slowest path. With one-hot
    probabilities all of them are CostTable.cost(). `operations`: the order of the columns of the weights (the table's: that of
    DARTS's PRIMITIVES). Gradients of maxima go to the part that sets them.
    """

    def __init__(self, table: CostTable, operations: Optional[Sequence[str]] = None) -> None:
        table.require_network()
        self.table = table
        self.operations = list(operations or table.operations)
        self._none = self.operations.index("none") if "none" in self.operations else None
        self._figures: dict[tuple[int, int, int], Tensor] = {}

    def __call__(self, normal: Tensor, reduce: Tensor, normal_edges: Optional[Tensor] = None,
                 reduce_edges: Optional[Tensor] = None) -> ExpectedCost:
        """From logits: [14, operations] for both kinds of cells, and with PC-DARTS their edges' [14]."""
        return self.expected(torch.softmax(normal, -1), torch.softmax(reduce, -1),
                             None if normal_edges is None else edge_probabilities(normal_edges),
                             None if reduce_edges is None else edge_probabilities(reduce_edges))

    def expected(self, normal: Tensor, reduce: Tensor, normal_edges: Optional[Tensor] = None,
                 reduce_edges: Optional[Tensor] = None) -> ExpectedCost:
        """From probabilities: of operations [14, operations] (rows that sum to 1), and of edges' being there [14] (default: 1)."""
        chances = [self._chances(p, edges) for p, edges in ((normal, normal_edges), (reduce, reduce_edges))]
        cells = [(cell, chances[cell.reduction], self._sums(cell, chances[cell.reduction])) for cell in self.table.cells]
        table = self.table
        fixed = [table.stem, table.classifier, *(p for cell in table.cells for p in (cell.preprocess0, cell.preprocess1, cell.concat))]
        floor = _scalar(max(part.interval_s for part in fixed), normal)
        interval = torch.stack([floor, *(sums[:, 0].amax() for _, _, sums in cells)]).amax()
        energy = sum(part.energy_j for part in fixed) + self._total(cells, 2, lambda cell: cell.add.energy_j)
        crossbars = sum(part.crossbars for part in fixed) + self._total(cells, 3, lambda cell: cell.add.crossbars)
        area = sum(part.area_mm2 for part in fixed) + self._total(cells, 4, lambda cell: cell.add.area_mm2)
        before = last = _scalar(table.stem.delay_s, normal)
        for cell, chance, sums in cells:
            before, last = last, _cell_delay(cell, chance, sums, before, last)
        latency = last + table.classifier.delay_s + interval
        energy = energy + table.static_power_w * latency
        return ExpectedCost(latency, interval, energy, energy * latency, crossbars, area)

    def _chances(self, probabilities: Tensor, edges: Optional[Tensor]) -> Tensor:
        """[14, operations] that an edge is there and has the operation; 0 for none."""
        if probabilities.shape != (len(EDGES), len(self.operations)):
            raise UsageError(f"architecture weights: shape {tuple(probabilities.shape)}; allowed: {(len(EDGES), len(self.operations))}")
        if edges is not None:
            probabilities = probabilities * edges[:, None]
        if self._none is None:
            return probabilities
        present = torch.ones(len(self.operations)).to(probabilities)
        present[self._none] = 0
        return probabilities * present

    def _sums(self, cell: Cell, chances: Tensor) -> Tensor:
        """[14, figures of a Part]: expected over the operations of each edge."""
        figures = torch.stack([self._figures_of(cell.shape(state)) for state, _ in EDGES]).to(chances)
        return (chances[:, :, None] * figures).sum(1)

    def _figures_of(self, shape: tuple[int, int, int]) -> Tensor:
        if shape not in self._figures:
            rows = [self.table.part(op, *shape) for op in self.operations]
            self._figures[shape] = torch.tensor(rows, dtype=torch.float64)
        return self._figures[shape]

    @staticmethod
    def _total(cells: Sequence[tuple[Cell, Tensor, Tensor]], figure: int, of_add: Any) -> Tensor:
        """Over all edges and the additions that they need."""
        totals = [sums[:, figure].sum() + of_add(cell) * _additions(chances) for cell, chances, sums in cells]
        return torch.stack(totals).sum()


def _scalar(value: float, like: Tensor) -> Tensor:
    return torch.tensor(value, dtype=like.dtype, device=like.device)


def _additions(chances: Tensor) -> Tensor:
    """The expected number of additions in a cell: one less than the inputs of each node that has any."""
    there, start, count = chances.sum(1), 0, _scalar(0.0, chances)
    for node in range(2, 2 + NODES):
        inputs = there[start:start + node]
        count = count + inputs.sum() - (1 - (1 - inputs).prod())
        start += node
    return count


def _cell_delay(cell: Cell, chances: Tensor, sums: Tensor, before: Tensor, last: Tensor) -> Tensor:
    """The expected delay at the cell's output. An edge counts after the earlier of the cell's inputs, as far as it is there."""
    states = [before + cell.preprocess0.delay_s, last + cell.preprocess1.delay_s]
    start_of_cell = torch.minimum(states[0], states[1])
    there = chances.sum(1)
    start = 0
    for node in range(2, 2 + NODES):
        edges = range(start, start + node)
        arrivals = torch.stack([there[e] * (states[EDGES[e][0]] - start_of_cell) + sums[e, 1] for e in edges])
        inputs = there[start:start + node]
        adding = (inputs.sum() - (1 - (1 - inputs).prod())).clamp(0.0, 1.0)
        states.append(start_of_cell + arrivals.amax() + adding * cell.add.delay_s)
        start += node
    return torch.stack(states[2:]).amax() + cell.concat.delay_s
