# SPDX-License-Identifier: Apache-2.0
"""Networks larger than the chip: refused, on more chips, or in phases; the values never change."""

import json

import jsonschema
import numpy as np
import pytest

import cli

SCHEMA = json.loads((cli.ROOT / "sim" / "result" / "result.schema.json").read_text())
# Seven IMAs are needed, four are there.
SMALL = ["--set", "chip.tiles=2", "--set", "chip.mesh_width=2", "--set", "tile.imas=2"]


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    path = tmp_path_factory.mktemp("images") / "x.npy"
    np.save(path, np.load(cli.TEST_X)[:3])
    return path


def run(folder, images, *arguments):
    result = cli.run_digits(folder / "out", *arguments, "--dump-outputs", folder / "y", images=images, labels=None)
    jsonschema.Draft202012Validator(SCHEMA).validate(result)
    return result, np.load(next((folder / "y").glob("*.npy")))


def sums_agree(result):
    energy = result["energy_j"]
    assert sum(energy["by_component"].values()) == pytest.approx(energy["total"], rel=1e-9)
    assert sum(layer["energy_j"]["total"] for layer in result["layers"]) == pytest.approx(energy["total"], rel=1e-9)
    assert sum(result["area_mm2"]["by_component"].values()) == pytest.approx(result["area_mm2"]["total"], rel=1e-9)


def test_a_network_larger_than_the_chip_is_refused(images):
    error = cli.refuse(cli.MAPPING, "run", "--arch", cli.ISAAC, "--network", cli.CNN, "--input", images, *SMALL)
    assert "7 IMAs" in error and "4 IMAs (2 tiles)" in error
    assert "chip.tiles=4" in error and "mapping.oversize=more_chips or reprogram" in error


def test_more_chips_have_the_same_values_and_cost_what_they_are(tmp_path, images):
    static = ["--set", "tile.edram.static_power=1 mW", "--batch", 3]
    (tmp_path / "one").mkdir()
    (tmp_path / "small").mkdir()
    large, expected = run(tmp_path / "one", images, *static)
    small = ["--set", "mapping.oversize=more_chips", *SMALL]
    result, outputs = run(tmp_path / "small", images, *static, *small)
    assert np.array_equal(outputs, expected)
    assert result["chips"] == 2 and large["chips"] == 1
    assert result["noc"]["between_chips"] > 0 == large["noc"]["between_chips"]
    assert result["crossbars"]["available"] == 2 * 2 * 2 * 8
    assert result["adc"] == large["adc"]
    # Two chips of 22.88 mm2 of links and a router for two tiles each; static power of four tiles.
    assert result["area_mm2"]["by_component"]["chip_link"] == pytest.approx(2 * 22.88, rel=1e-12)
    assert result["area_mm2"]["by_component"]["router"] == pytest.approx(2 * 0.151, rel=1e-12)
    assert result["energy_j"]["static"] == pytest.approx(4 * 1e-3 * result["latency_s"]["total"] / 3, rel=1e-9)
    # 10.4 W at 25.6 GB/s: each byte between chips counts at both of its ends.
    more = result["energy_j"]["by_component"]["chip_link"] - large["energy_j"]["by_component"]["chip_link"]
    assert more == pytest.approx(2 * result["noc"]["between_chips"] * 10.4 / 25.6e9, rel=1e-9)
    assert "2 chips" in cli.succeed("run", "--arch", cli.ISAAC, "--network", cli.CNN, *small).out
    mapped = json.loads(cli.succeed("map", "--arch", cli.ISAAC, "--network", cli.CNN, "--json", *small).out)
    assert mapped["chips"] == 2 and mapped["tiles"]["available"] == 4 and mapped["noc"] == result["noc"]
    sums_agree(result)


def test_phases_have_the_same_values_and_cost_their_writes(tmp_path, images):
    (tmp_path / "one").mkdir()
    (tmp_path / "small").mkdir()
    large, expected = run(tmp_path / "one", images, "--batch", 2)
    small = ["--set", "mapping.oversize=reprogram", *SMALL]
    result, outputs = run(tmp_path / "small", images, "--batch", 2, *small)
    assert np.array_equal(outputs, expected)
    assert "reprogramming" not in large
    written = result["reprogramming"]
    assert written["phases"] == 2 and result["chips"] == 1
    assert result["adc"] == large["adc"]
    assert result["latency_s"]["interval"] == pytest.approx(result["latency_s"]["total"] / 2, rel=1e-12)
    assert result["latency_s"]["total"] > large["latency_s"]["total"] + written["write_latency_s"]
    # 16-bit weights in cells of 2 bits. Crossbars write the columns that they convert: all of them here.
    assert written["weight_bytes"] == written["cells_written"] * 2 / 8
    # Between all cells at level 0 (20 kOhm) and at level 3 (1333 Ohm), 2 V for 40 ns.
    assert 4 / 20e3 * 40e-9 < written["write_energy_j"] / written["cells_written"] < 4 / 1333 * 40e-9
    assert written["endurance_writes"] == 1e9 and written["writes_per_cell"] == 2
    assert written["lifetime_s"] == pytest.approx(1e9 / 2 * result["latency_s"]["total"], rel=1e-12)
    more = {c: result["energy_j"]["by_component"][c] - large["energy_j"]["by_component"][c]
            for c in ("chip_link", "crossbar")}
    assert more["crossbar"] == pytest.approx(written["write_energy_j"] / 2, rel=1e-9)
    # Two images share the codes; what is stored is loaded again (by one phase or more).
    moved = more["chip_link"] * 25.6e9 / 10.4
    assert moved >= written["weight_bytes"] / 2 + 2 * written["stored_bytes"] - 1e-3
    assert {"store", "load"} <= {layer["op"] for layer in result["layers"]}
    sums_agree(result)


def test_structural_parts_agree_in_phases_and_on_chips(tmp_path, images):
    for oversize in ("more_chips", "reprogram"):
        sets = ["--set", f"mapping.oversize={oversize}", *SMALL]
        cycle = cli.run_digits(tmp_path / "c", *sets, images=images, labels=None)
        structural = cli.run_digits(tmp_path / "s", *sets, "--mode", "structural", images=images, labels=None)
        assert structural["latency_s"] == cycle["latency_s"] and structural["energy_j"] == cycle["energy_j"]


def test_a_layer_larger_than_the_chip_is_named(tmp_path):
    network = tmp_path / "vgg8.onnx"
    cli.succeed("workload", "make", "vgg8", "-o", network)
    error = cli.refuse(cli.MAPPING, "map", "--arch", cli.ISAAC_8BIT, "--network", network, "--set", "chip.tiles=8",
                       "--set", "mapping.oversize=reprogram")
    assert "this layer alone needs" in error and "96 IMAs (8 tiles)" in error and "more_chips" in error
