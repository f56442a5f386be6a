# SPDX-License-Identifier: Apache-2.0
"""The cost of a network on a machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

UNITS = {"latency_s": "s", "interval_s": "s", "total_s": "s", "throughput_ips": "1/s", "energy_j": "J", "power_w": "W",
         "area_mm2": "mm2", "edp_js": "J s", "tops": "1e12/s", "crossbars": "1", "macs": "1"}

LAYER_UNITS = {"crossbars": "1", "replicas": "1", "rows": "1", "cols": "1", "start_s": "s", "latency_s": "s", "busy_s": "s", "energy_j": "J"}
PREFIXES = ((1e-12, "p"), (1e-9, "n"), (1e-6, "u"), (1e-3, "m"), (1.0, ""), (1e3, "k"), (1e6, "M"))


def readable(value: float, unit: str) -> str:
    """Four digits with an SI prefix: "158.8 us"."""
    factor, prefix = next((p for p in reversed(PREFIXES) if abs(value) >= p[0]), PREFIXES[0] if value else (1.0, ""))
    return f"{value / factor:.4g} {prefix}{unit}"


class Cost(Mapping[str, Any]):
    """Figures as attributes and as a mapping; names carry their SI unit (`units`).

    layers, where they were asked for: a list with a dict per layer (`layer_units`); frame() makes a DataFrame of it. str() is for
    people. latency_s: of the first image; interval_s: between images (with batch 1: the latency); energy_j: per image; edp_js: energy x
    latency; expected_error: of an analytic cost, relative, against mode cycle.
    """

    __slots__ = ("_figures",)
    units = UNITS
    layer_units = LAYER_UNITS

    latency_s: float
    interval_s: float
    total_s: float
    throughput_ips: float
    energy_j: float
    power_w: float
    area_mm2: float
    edp_js: float
    tops: float
    crossbars: int
    macs: int
    fidelity: str
    version: str
    expected_error: dict[str, float]
    layers: list[dict[str, Any]]

    def __init__(self, figures: Mapping[str, Any]) -> None:
        object.__setattr__(self, "_figures", dict(figures))

    def __getitem__(self, key: str) -> Any:
        return self._figures[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._figures)

    def __len__(self) -> int:
        return len(self._figures)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self._figures[name]
        except KeyError:
            hint = "; ask for it with layers=True" if name == "layers" else ""
            raise AttributeError(f"this cost has no {name}{hint}") from None

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError("a cost does not change")

    def __reduce__(self) -> tuple[Any, ...]:
        return Cost, (self._figures,)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Cost) and self._figures == other._figures

    __hash__ = None  # type: ignore[assignment]

    def dict(self) -> "dict[str, Any]":
        """All figures."""
        return dict(self._figures)

    def __repr__(self) -> str:
        return (f"Cost(latency_s={self.latency_s:.4g}, interval_s={self.interval_s:.4g}, energy_j={self.energy_j:.4g}, "
                f"area_mm2={self.area_mm2:.4g}, crossbars={self.crossbars}, fidelity={self.fidelity!r})")

    def __str__(self) -> str:
        lines = [f"latency {readable(self.latency_s, 's')}, interval {readable(self.interval_s, 's')}, energy {readable(self.energy_j, 'J')}, "
                 f"area {self.area_mm2:.4g} mm2, {self.crossbars} crossbars ({self.fidelity})"]
        for row in self._figures.get("layers", []):
            lines.append(f"  {row['name']:<28} {row['op']:<20} {row['crossbars']:>5}  {readable(row['busy_s'], 's'):>9}  "
                         f"{readable(row['energy_j'], 'J'):>9}")
        return "\n".join(lines)

    def frame(self) -> Any:
        """The layers as a pandas DataFrame. Needs pandas, and layers=True when the cost was asked for."""
        from bitline.trees import layers_frame

        return layers_frame({"layers": self.layers})
