# SPDX-License-Identifier: Apache-2.0
"""Every key of an architecture does something: varying it changes result.json beyond its provenance."""

import json
import re

import numpy as np
import pytest

import cli
import pruned_onnx
import tiny_onnx

# Two IMAs per tile spread the digits CNN over many tiles, so that the network between them has work to do.
BASE = {"tile.imas": "2"}
# Keys that act in a mode only, with the mode. Each is checked to have no effect without it.
DIFFERENTIAL = {"encoding.weights": "differential", "encoding.flip": "false", "slices.widths": "[]"}
TABLE = "[{{bits: 8, energy: {}, area: 0.002 mm2, rate: 1 GS/s}}]"
SUMS = {"adc.resolution.policy": "percentile", "adc.resolution.percentile_of": "sums"}
REPROGRAM = {"mapping.oversize": "reprogram", "chip.tiles": "2", "chip.mesh_width": "2"}
FIVE_BITS = {"adc.resolution.policy": "fixed", "adc.resolution.bits": "5"}
VARIATION = {"device.variation.model": "normal"}
DRIFT = {"device.drift.exponent": "0.1"}
MODES = {
    "device.seed": VARIATION,
    "device.off_current": {"device.off_state": "finite"},
    "device.variation.sigma": VARIATION,
    "device.drift.time": DRIFT,
    "device.drift.reference_time": DRIFT,
    "device.worst_case.choice": {"device.worst_case.cells": "5"},
    "device.r_on": {"device.read_energy": "ohmic"},
    "device.r_off": {"device.read_energy": "ohmic"},
    "device.read_voltage": {"device.read_energy": "ohmic"},
    # Kinds and anchored models meet at the 8 rated bits; below them the crossbar's read time hides the kind.
    "adc.kind": {"adc.resolution.policy": "fixed", "adc.resolution.bits": "10"},
    "adc.model": FIVE_BITS,
    "adc.technology": {"adc.model": "regression", "adc.anchored": "false"},
    "adc.table": {"adc.model": "table", "adc.anchored": "false", "adc.table": TABLE.format("1 pJ")},
    "adc.resolution.bits": {"adc.resolution.policy": "fixed"},
    "adc.resolution.percentile": SUMS,
    "adc.resolution.percentile_of": {"adc.resolution.policy": "percentile"},
    "adc.resolution.granularity": SUMS,
    "encoding.subtraction": {**DIFFERENTIAL, **FIVE_BITS},
    "precision.weights.scheme": {**DIFFERENTIAL, "precision.weights.granularity": "per_tensor"},
    # With 16 bits the largest weights cost more than the smaller steps gain.
    "precision.weights.calibration": {"precision.weights.bits": "4", "ima.output_register.capacity": "4 KiB"},
    "precision.activations.calibration": {"precision.activations.percentile": "60"},
    "precision.activations.percentile": {"precision.activations.calibration": "percentile"},
    "ima.output_register.buffers": {"tile.bus.clock": "1 MHz"},     # results wait for the bus
    "tile.shift_add.rate": {"ima.crossbars": "1"},                  # row blocks meet in the tile
    "tile.shift_add.latency": {"ima.crossbars": "1"},
    "tile.shift_add.power": {"ima.crossbars": "1"},
    "tile.elementwise.cost_of": {"tile.elementwise.power": "1 mW"},
    "tile.requantise.cost_of": {"tile.requantise.power": "1 mW"},
    "mapping.replicas": {"mapping.replication": "per_layer"},
    "mapping.oversize": {**REPROGRAM, "mapping.oversize": "more_chips"},
    "device.write_latency": REPROGRAM,
    "device.write_voltage": REPROGRAM,
    "device.endurance": REPROGRAM,
    "tile.write_rows": REPROGRAM,
    # One crossbar per tile: enough tiles that seeds come to different ends.
    "mapping.placement_seed": {"mapping.placement": "annealed", "tile.imas": "1", "ima.crossbars": "1", "adc.per_ima": "1"},
    "mapping.nearly_empty": {"mapping.prune": "rows_cols"},
    "mapping.digital": {"tile.pooling.clock": "1 MHz"},  # slower than the layers
}
# Keys that act on grouped convolutions only.
GROUPED = ["mapping.depthwise"]
# Keys that act on networks with empty filters and channels only.
PRUNED = ["mapping.prune", "mapping.nearly_empty"]
# Printed in reports, acts on nothing.
LABELS = ["name"]
# Values that are not made from the present one (a floorplan of few rows, as few tiles are used).
VALUES = {"adc.table": [TABLE.format("2 pJ")], "chip.mesh_width": ["3"],
          "adc.resolution.layers": ["[{layer: conv2, bits: 5}]"],
          "device.stuck.map": [str(cli.ROOT / "tests" / "cli" / "faults.csv")],
          "precision.layers": ["[{layer: conv2, weights: 8, activations: 8}]"],
          "slices.widths": ["[1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]}
UNIT_OF_ZERO = {"W": "1 mW", "mm2": "0.01 mm2", "ns": "150 ns", "fs": "150 ns", "s": "150 ns", "J": "1 pJ", "Ohm": "10 Ohm"}


def reference():
    """{key: (type, allowed)} of every key that there is."""
    rows = re.findall(r"^\| `([a-z0-9_.]+)` \| ([^|]*) \| ([^|]*) \|", cli.succeed("check", "--reference").out, re.M)
    return {key: (kind.strip(), allowed.strip()) for key, kind, allowed in rows}


def variations(key, kind, allowed, present):
    if key in VALUES:
        return VALUES[key]
    if kind.startswith("choice"):
        return [choice for choice in allowed.split(", ") if choice != present]
    if present in ("true", "false"):
        return ["false" if present == "true" else "true"]
    number = re.fullmatch(r"\[?([0-9.e+-]+)\]? ?([A-Za-z0-9/]*)", present)
    assert number, (key, present)
    value, unit = float(number[1]), number[2]
    if value == 0 and unit:
        return [UNIT_OF_ZERO[unit]]
    whole = not unit and value == int(value)
    changed = [value + 1, value - 1, value * 2, value // 2, value * 8, value // 8] if whole else \
        [value * 2, value / 2, value * 0.8, value * 20, value / 20]
    return [(f"{x:.0f}" if whole else f"{x:.9g}") + (f" {unit}" if unit else "") for x in changed]


class Machine:
    """Runs of the digits CNN (or another network) on ISAAC with overrides; equal ones are made once."""

    def __init__(self, folder, network=cli.CNN):
        self.folder, self.network, self.known = folder, network, {}
        self.images, self.labels = folder / "x.npy", folder / "y.npy"
        np.save(self.images, np.load(cli.TEST_X)[:3])
        np.save(self.labels, np.load(cli.TEST_Y)[:3])

    def run(self, overrides):
        """The result, or None where the machine refuses the overrides or the network does not fit it."""
        name = json.dumps(overrides, sort_keys=True)
        if name not in self.known:
            sets = [word for item in overrides.items() for word in ("--set", "=".join(item))]
            answer = cli.bitline("run", "--arch", cli.ISAAC, "--network", self.network, "--input", self.images,
                                 "--labels", self.labels, "--batch", 3, "--json", "--quiet", *sets)
            assert answer.code in (cli.OK, cli.CONFIG, cli.MAPPING), answer
            self.known[name] = json.loads(answer.out) if answer.code == cli.OK else None
        return self.known[name]

    def acts(self, key, kind, allowed, mode):
        """Whether some value of `key` gives another result than the present one."""
        base = {**BASE, **mode}
        result = self.run(base)
        assert result is not None, (key, mode)
        present = result["provenance"]["config"][key]["value"]
        for value in variations(key, kind, allowed, present):
            varied = self.run({**base, key: value})
            if varied is not None and figures(varied) != figures(result):
                return True
        return False


def figures(result):
    return {k: v for k, v in result.items() if k not in ("provenance", "wall_time_s")}


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    return Machine(tmp_path_factory.mktemp("knobs"))


@pytest.fixture(scope="module")
def grouped(tmp_path_factory):
    folder = tmp_path_factory.mktemp("grouped")
    return Machine(folder, tiny_onnx.save(folder / "net.onnx", tiny_onnx.depthwise_digits()))


@pytest.fixture(scope="module")
def pruned(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pruned")
    return Machine(folder, tiny_onnx.save(folder / "net.onnx", pruned_onnx.network(1)))


def test_every_key_changes_the_result(machine, grouped, pruned):
    keys = reference()
    others = dict.fromkeys(GROUPED, grouped) | dict.fromkeys(PRUNED, pruned)
    assert len(keys) > 80 and set(MODES) | set(LABELS) <= set(keys)
    assert set(keys) - set(LABELS) == set(machine.run(BASE)["provenance"]["config"]) - set(LABELS)
    dead = [key for key, (kind, allowed) in keys.items()
            if key not in LABELS
            and not others.get(key, machine).acts(key, kind, allowed, MODES.get(key, {}))]
    assert dead == []


def test_keys_of_a_mode_do_nothing_without_it(machine):
    """Otherwise the list above is out of date, or a mode is entered without being asked for."""
    keys = reference()
    assert [key for key in [*MODES, *GROUPED] if key not in PRUNED and machine.acts(key, *keys[key], {})] == []
