# SPDX-License-Identifier: Apache-2.0
"""Every parameter of a machine changes some figure of a result: a knob that does nothing is a defect.

One small machine, on which each part is in use, runs a network; then each parameter in turn gets another value. Where a
parameter matters only in company (the percentile of percentile calibration), both runs get that company.
"""

import json
import re

import numpy as np
import pytest

import cli
import pruned_onnx
import tiny_onnx

# Two crossbars per IMA and two IMAs per tile, so that partial sums join and tiles exchange data; ADCs that clip.
BASE = {"ima.crossbars": "2", "adc.per_ima": "2", "tile.imas": "2", "chip.tiles": "20", "chip.mesh_width": "4",
        "noc.tiles_per_router": "1", "adc.resolution.policy": "fixed", "adc.resolution.bits": "5",
        "tile.elementwise.power": "1 mW", "tile.requantise.power": "1 mW", "tile.requantise.units": "4"}

REPROGRAM = {"mapping.oversize": "reprogram", "chip.tiles": "2", "chip.mesh_width": "2"}
OHMIC = {"device.read_energy": "ohmic"}
SUMS = {"adc.resolution.policy": "percentile", "adc.resolution.percentile_of": "sums"}
WIDE = {"ima.output_register.capacity": "4 KiB"}
VARIATION = {"device.variation.model": "normal"}
DRIFT = {"device.drift.exponent": "0.1"}
COMPANY = {
    "device.seed": VARIATION, "device.variation.sigma": VARIATION, "device.off_current": {"device.off_state": "finite"},
    "device.drift.time": DRIFT, "device.drift.reference_time": DRIFT,
    "device.worst_case.choice": {"device.worst_case.cells": "5"},
    "device.r_on": OHMIC, "device.r_off": OHMIC, "device.read_voltage": OHMIC,
    "adc.kind": {"adc.resolution.bits": "10"}, "adc.technology": {"adc.model": "regression", "adc.anchored": "false"},
    "adc.table": {"adc.model": "table", "adc.anchored": "false",
                  "adc.table": "[{bits: 5, energy: 1 pJ, area: 100 um2, rate: 1 GHz}]"},
    "adc.resolution.percentile": SUMS, "adc.resolution.granularity": SUMS,
    "adc.resolution.percentile_of": {"adc.resolution.policy": "percentile"},
    "encoding.subtraction": {"encoding.weights": "differential", "encoding.flip": "false"},
    "slices.placement": WIDE, "ima.output_bits": WIDE,
    "precision.weights.scheme": {"precision.weights.granularity": "per_tensor"},
    "precision.activations.percentile": {"precision.activations.calibration": "percentile"},
    "ima.output_register.buffers": {"ima.output_register.latency": "2 us"},
    "mapping.replicas": {"mapping.replication": "per_layer"},
    "device.write_latency": REPROGRAM, "device.write_voltage": REPROGRAM, "device.endurance": REPROGRAM, "tile.write_rows": REPROGRAM,
    "mapping.oversize": REPROGRAM | {"mapping.oversize": "more_chips"},
    "mapping.placement_seed": {"mapping.placement": "annealed", "tile.imas": "1", "ima.crossbars": "1", "adc.per_ima": "1"},
    "mapping.nearly_empty": {"mapping.prune": "rows_cols"}, "mapping.digital": {"tile.pooling.clock": "1 MHz"},
}
# Parameters that act on grouped convolutions only, and on networks with empty filters and channels only.
GROUPED = ["mapping.depthwise"]
PRUNED = ["mapping.prune", "mapping.nearly_empty"]
# Where twice the value, or the next choice, is not what to try.
OTHER = {
    "device.stuck.map": str(cli.ROOT / "tests" / "cli" / "faults.csv"),
    "device.bits_per_cell": "1", "crossbar.active_rows": "64", "adc.kind": "ramp", "adc.per_ima": "1", "adc.rated_bits": "7",
    "adc.resolution.policy": "lossless", "adc.resolution.bits": "6", "adc.resolution.percentile": "90",
    "adc.resolution.layers": "[{layer: conv2, bits: 4}]", "slices.widths": "[1, 1, 2, 2, 2]",
    "adc.table": "[{bits: 5, energy: 2 pJ, area: 100 um2, rate: 1 GHz}]", "precision.weights.bits": "7",
    "precision.activations.bits": "7", "precision.activations.percentile": "90", "sample_hold.latency": "80 ns",
    "precision.layers": "[{layer: conv2, weights: 6, activations: 6}]", "mapping.replication": "balanced", "mapping.replicas": "[2]", "mapping.nearly_empty": "40",
    "ima.output_register.buffers": "1", "chip.mesh_width": "2", "noc.buffer_flits": "1",
    "mapping.oversize": "reprogram",
}


def fields():
    """Key, type and allowed values of every parameter, from the generated reference."""
    text = cli.succeed("check", "--reference").out
    return {key: (kind, allowed) for key, kind, allowed in
            re.findall(r"^\| `([^`]+)` \| ([^|]+) \| (.+?) \| `", text, re.MULTILINE) if key != "name"}


def run(folder, images, sets, network=cli.CNN):
    """The figures of a run, and the machine it was on."""
    words = [word for key, value in sets.items() for word in ("--set", f"{key}={value}")]
    cli.succeed("run", "--arch", cli.ISAAC_8BIT, "--network", network, "--input", images, "--calibrate", cli.CALIBRATION,
                "--out", folder, *words)
    result = json.loads((folder / "result.json").read_text())
    machine = {key: entry["value"] for key, entry in result.pop("provenance")["config"].items()}
    result.pop("wall_time_s", None)
    return result, machine


def other_value(key, kind, allowed, value):
    if key in OTHER:
        return OTHER[key]
    if kind.startswith("choice"):
        return next(choice for choice in allowed.split(", ") if choice != value)
    number, unit = re.fullmatch(r"([-+\d.e]+) ?(.*)", value).groups()
    if float(number) == 0:
        return "30 ns" if kind.startswith("time") else f"1 {unit}".strip()
    return f"{2 * float(number):.10g} {unit}".strip()


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    path = tmp_path_factory.mktemp("images") / "x.npy"
    np.save(path, np.load(cli.TEST_X)[:2])
    return path


@pytest.fixture(scope="module")
def base(tmp_path_factory, images):
    return run(tmp_path_factory.mktemp("base"), images, BASE)


def test_the_reference_lists_what_a_result_was_run_with(base):
    assert set(fields()) == set(base[1])
    assert len(base[1]) > 100


def test_every_parameter_changes_a_result(tmp_path, images, base):
    idle = []
    pruned = tiny_onnx.save(tmp_path / "pruned.onnx", pruned_onnx.network(1))
    grouped = tiny_onnx.save(tmp_path / "grouped.onnx", tiny_onnx.depthwise_digits())
    for key, (kind, allowed) in fields().items():
        sets = BASE | COMPANY.get(key, {})
        network = grouped if key in GROUPED else pruned if key in PRUNED else cli.CNN
        before, machine = run(tmp_path, images, sets, network) if key in COMPANY or network != cli.CNN else base
        value = other_value(key, kind, allowed, machine[key])
        after, machine_after = run(tmp_path, images, sets | {key: value}, network)
        assert machine_after[key] != machine[key], key
        if after == before:
            idle.append(f"{key}: {machine[key]} -> {value}")
    assert not idle


def test_the_same_machine_gives_the_same_result(tmp_path, images, base):
    assert run(tmp_path, images, BASE)[0] == base[0]
