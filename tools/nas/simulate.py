# SPDX-License-Identifier: Apache-2.0
"""A trained network on a machine: figures of `bitline run` and `bitline slices`, as the report and the experiments use them."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from typing import Any

import bitline
from bitline.nas.quantise import Bits
from bitline.nas.slices import slice_widths

MODES = ("cycle", "structural", "analytic")


@dataclasses.dataclass(frozen=True)
class Machine:
    """arch: a YAML file; sets: overrides of its keys, after those of `bits` and `bits_per_cell`."""

    arch: str
    bits: Bits = Bits()
    bits_per_cell: int = 2
    sets: Mapping[str, str] = dataclasses.field(default_factory=dict)
    mode: str = "cycle"

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise ValueError(f"mode: '{self.mode}'; allowed: {', '.join(MODES)}")
        if not os.path.isfile(self.arch):
            raise ValueError(f"arch: {self.arch}: no such file; remedy: give --arch (configs/bitslice-4bit.yaml of the sources)")

    def overrides(self) -> dict[str, str]:
        """Every key that is set: the integers of training, and the cells that it was charged for."""
        widths = ",".join(str(width) for width in slice_widths(self.bits.weights, self.bits_per_cell))
        return {"device.bits_per_cell": str(self.bits_per_cell), "slices.widths": f"[{widths}]",
                "precision.weights.bits": str(self.bits.weights), "precision.activations.bits": str(self.bits.activations), **self.sets}


def measure(machine: Machine, network: str, images: str, labels: str) -> dict[str, Any]:
    """Accuracy and cost of a QDQ file for test images (.npy files). Raises a BitlineError."""
    sets = machine.overrides()
    tree = bitline.simulate(machine.arch, network, mode=machine.mode, input=images, labels=labels, set=sets)
    slices = bitline.slices(machine.arch, network, set=sets)["layers"]
    return {
        "top1": tree["accuracy"]["top1"], "images": tree["accuracy"]["images"],
        "latency_s": tree["latency_s"]["image"], "energy_j": tree["energy_j"]["total"],
        "adc_energy_j": tree["energy_j"]["by_component"]["adc"],
        "edp_js": tree["energy_j"]["total"] * tree["latency_s"]["image"], "area_mm2": tree["area_mm2"]["total"],
        "crossbars": tree["crossbars"]["used"], "adc_conversions": tree["adc"]["conversions"], "adc_clipped": tree["adc"]["clipped"],
        "slices": _by_slice(slices), "layers": slices,
    }


def _by_slice(layers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Per slice over all layers, most significant first; layers of fewer slices count at the lower end."""
    depth = max((len(layer["slices"]) for layer in layers), default=0)
    rows = []
    for place in range(depth, 0, -1):
        found = [layer["slices"][-place] for layer in layers if len(layer["slices"]) >= place]
        rows.append({"width": found[0]["width"],
                     "nonzero_ratio": sum(s["nonzero"] for s in found) / sum(s["cells"] for s in found),
                     "adc_bits_most": max(s["adc_bits_needed"] for s in found),
                     "adc_bits_mean": sum(s["adc_bits_needed"] for s in found) / len(found)})
    return rows
