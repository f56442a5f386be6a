# SPDX-License-Identifier: Apache-2.0
"""Tables of what every operation of a search space costs on a machine (`bitline lut`)."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Union

from bitline.cost import Cost
from bitline.errors import UsageError
from bitline.networks import PUBLISHED, Genotype, cells_of
from bitline.program import call

SCHEMA = "bitline.lut/1"
NODES = 4
#: The states that edge e of a cell's 14 leads between: (input, node), in the order of DARTS's architecture weights.
EDGES = tuple((state, node) for node in range(2, 2 + NODES) for state in range(node))


class Part(NamedTuple):
    """What a row adds to a network: times in s, energy in J, area in mm2."""

    interval_s: float = 0.0
    delay_s: float = 0.0
    energy_j: float = 0.0
    crossbars: int = 0
    area_mm2: float = 0.0


def _part(row: Mapping[str, Any]) -> Part:
    return Part(*(row[key] for key in Part._fields))


class Cell(NamedTuple):
    """A cell's place in the network, and its parts that no genotype changes."""

    reduction: bool
    channels: int
    resolution: int
    preprocess0: Part
    preprocess1: Part
    add: Part
    concat: Part

    def shape(self, state: int) -> tuple[int, int, int]:
        """Of an operation that reads `state`: stride, channels, resolution of its input."""
        if not self.reduction:
            return 1, self.channels, self.resolution
        return (2, self.channels, self.resolution) if state < 2 else (1, self.channels, self.resolution // 2)


class CostTable:
    """The cost of every operation x stride x channels x resolution; of whole networks by sums over it.

    `tree` is the JSON that `bitline lut` writes. `rows` are the operations as dicts; a table that was made for a network
    (`layers`, one `channels`, one `resolution`) also has its other parts, and then `cost` tells what a genotype costs.
    """

    def __init__(self, tree: Mapping[str, Any]) -> None:
        if tree.get("schema") != SCHEMA:
            raise UsageError(f"table: schema is {tree.get('schema')!r}; allowed: {SCHEMA!r}")
        self.tree = dict(tree)
        self.rows: list[dict[str, Any]] = list(tree["operations"])
        self.operations: list[str] = list(tree["primitives"])
        self._parts = {(row["part"], row["stride"], row["channels_in"], row["resolution"]): _part(row) for row in self.rows}
        self.cells: list[Cell] = []
        if "network" in tree:
            fixed = [_part(row) for row in tree["fixed"]]
            network = tree["network"]
            self.stem, self.classifier = fixed[network["stem"]], fixed[network["classifier"]]
            self.cells = [Cell(c["reduction"], c["channels"], c["resolution"], *(fixed[c[key]] for key in Cell._fields[3:]))
                          for c in network["cells"]]

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> CostTable:
        """From a file of `bitline lut --out FILE.json`."""
        with open(path, encoding="utf-8") as file:
            return cls(json.load(file))

    def save(self, path: str | os.PathLike[str]) -> None:
        """As `bitline lut --out FILE.json` writes it."""
        with open(path, "w", encoding="utf-8") as file:
            json.dump(self.tree, file, indent=2)
            file.write("\n")

    def frame(self) -> Any:
        """The operations as a pandas DataFrame. Needs pandas."""
        import pandas

        return pandas.DataFrame(self.rows)

    def part(self, operation: str, stride: int, channels: int, resolution: int) -> Part:
        """The row of an operation; `resolution` is that of its input. Raises UsageError where the table has none."""
        try:
            return self._parts[operation, stride, channels, resolution]
        except KeyError:
            raise UsageError(f"table: has no {operation} of stride {stride}, {channels} channels and {resolution} pixels") from None

    def require_network(self) -> None:
        """Raises UsageError for a table of single operations."""
        if not self.cells:
            raise UsageError("table: was made for lists of sizes; allowed: one made for a network (--layers, one number of "
                             "--channels, one of --resolution)")

    @property
    def static_power_w(self) -> float:
        """Of the whole chip."""
        return float(self.tree["chip"]["static_power_w"])

    def cost(self, genotype: Union[Genotype, str, Mapping[str, Any], Any]) -> Cost:
        """The cost of the table's network with these cells, by sums: energy, crossbars and area add; the interval is that of
        the busiest part; the latency is the interval and the delays along the longest path. Of a Genotype only its cells count.
        """
        self.require_network()
        chosen = [_edges(genotype, index, cell.reduction) for index, cell in enumerate(self.cells)]
        parts = [[self.part(op, *cell.shape(state)) for op, state in edges] for cell, edges in zip(self.cells, chosen)]
        everything = [self.stem, self.classifier]
        for cell, edges, used in zip(self.cells, chosen, parts):
            adds = sum(edges[e][0] != "none" and edges[e + 1][0] != "none" for e in range(0, 2 * NODES, 2))
            everything += [cell.preprocess0, cell.preprocess1, cell.concat, *[cell.add] * adds, *used]
        interval = max(part.interval_s for part in everything)
        last = before = self.stem.delay_s
        for cell, edges, used in zip(self.cells, chosen, parts):
            before, last = last, _delay(cell, edges, used, before, last)
        latency = last + self.classifier.delay_s + interval
        energy = sum(part.energy_j for part in everything) + self.static_power_w * latency
        return Cost({"latency_s": latency, "interval_s": interval, "energy_j": energy, "edp_js": energy * latency,
                     "crossbars": sum(part.crossbars for part in everything), "area_mm2": self.tree["chip"]["area_mm2"],
                     "used_area_mm2": sum(part.area_mm2 for part in everything), "fidelity": "table",
                     "version": self.tree["version"]})


def _delay(cell: Cell, edges: Sequence[tuple[str, int]], used: Sequence[Part], before: float, last: float) -> float:
    """By which the end of an image leaves a cell later than that of the network's busiest part."""
    states = [before + cell.preprocess0.delay_s, last + cell.preprocess1.delay_s]
    for e in range(0, len(edges), 2):
        arrivals = [states[state] + part.delay_s for (op, state), part in zip(edges[e:e + 2], used[e:e + 2]) if op != "none"]
        states.append(max(arrivals) + (cell.add.delay_s if len(arrivals) == 2 else 0.0))
    return max(states[2:]) + cell.concat.delay_s


def published(name: str) -> Mapping[str, Any]:
    """The cells of a published genotype, as `bitline workload` knows them."""
    from bitline import _core

    if name not in PUBLISHED:
        raise UsageError(f"genotype: unknown name {name!r}; allowed: {', '.join(PUBLISHED)}, or cells")
    cells: Mapping[str, Any] = json.loads(_core.published_genotype(name))
    return cells


def _edges(genotype: Any, index: int, reduction: bool) -> list[tuple[str, int]]:
    """The eight (operation, input) pairs of a cell."""
    cells = cells_of(genotype.cells if isinstance(genotype, Genotype) else genotype)
    if isinstance(cells, str):
        cells = published(cells)
    kind = "reduce" if reduction else "normal"
    own = cells.get("cells", {}).get(str(index))
    if own is None and sorted(cells.get(f"{kind}_concat", range(2, 2 + NODES))) != list(range(2, 2 + NODES)):
        raise UsageError(f"genotype: {kind}_concat is {cells[f'{kind}_concat']}; allowed in a table: all nodes, 2 to 5")
    try:
        edges = [(str(op), int(state)) for op, state in (cells[kind] if own is None else own)]
    except (KeyError, TypeError, ValueError):
        raise UsageError(f"genotype: {kind} is missing or no list of pairs; allowed: eight (operation, input) pairs") from None
    if len(edges) != 2 * NODES or any(not 0 <= state < 2 + e // 2 for e, (_, state) in enumerate(edges)):
        raise UsageError(f"genotype: {kind}; allowed: eight (operation, input) pairs, two for each node, of earlier states")
    if any(edges[e][0] == edges[e + 1][0] == "none" for e in range(0, 2 * NODES, 2)):
        raise UsageError(f"genotype: a node of {kind} has no input; allowed: one none at most")
    return edges


def lut(arch: str | os.PathLike[str], space: str = "darts", *, layers: int | None = None, channels: int | Sequence[int] | None = None,
        resolution: int | Sequence[int] | None = None, classes: int | None = None, set: Mapping[str, Any] | None = None,
        activity: Mapping[str, float] | None = None, timeout: float | None = None,
        program: str | os.PathLike[str] | None = None) -> CostTable:
    """`bitline lut`: the table of a network of `layers` cells (20), with `channels` (36) in the first of them and images of
    `resolution` (32); or, with lists of channels and resolutions, of single operations. Raises a BitlineError."""
    words = ["lut", "--space", space, "--arch", os.fspath(arch), "--json"]
    for option, value in (("--layers", layers), ("--channels", channels), ("--resolution", resolution), ("--classes", classes)):
        if value is not None:
            words += [option, ",".join(str(n) for n in ([value] if isinstance(value, int) else value))]
    for option, pairs in (("--set", set), ("--activity", activity)):
        for key, value_of in (pairs or {}).items():
            words += [option, f"{key}={value_of}"]
    return CostTable(call(words, timeout, program))
