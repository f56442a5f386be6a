# SPDX-License-Identifier: Apache-2.0
"""Networks larger than the chip: refused, on more chips, or in phases; the values never change."""

import json

import jsonschema
import numpy as np
import pytest

import cli
import tiny_onnx

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


# Crossbars of 64 rows and columns, so few that a layer of the digits CNN alone needs more.
SMALL_CROSSBARS = ["--set", "crossbar.rows=64", "--set", "crossbar.cols=64", "--set", "crossbar.active_rows=64",
                   "--set", "ima.crossbars=2"]


def tiny(imas):
    return [*SMALL_CROSSBARS, "--set", "chip.tiles=1", "--set", "chip.mesh_width=1", "--set", f"tile.imas={imas}",
            "--set", "mapping.oversize=reprogram"]


@pytest.mark.parametrize("imas, sets", [
    (3, []), (3, ["--set", "precision.weights.granularity=per_tensor"]),
    (6, ["--set", "encoding.weights=differential", "--set", "precision.weights.scheme=dynamic_fixed_point",
         "--set", "precision.weights.granularity=per_tensor", "--set", "encoding.flip=false",
         "--set", "adc.resolution.policy=lossless"])])
def test_layers_larger_than_the_chip_are_cut_by_outputs(tmp_path, images, imas, sets):
    (tmp_path / "one").mkdir()
    (tmp_path / "tiny").mkdir()
    large, expected = run(tmp_path / "one", images, *sets, *SMALL_CROSSBARS)
    result, outputs = run(tmp_path / "tiny", images, *sets, *tiny(imas))
    assert np.array_equal(outputs, expected)
    parts = [layer for layer in result["layers"] if layer["name"].endswith("]") and layer["crossbars"]]
    whole = {layer["name"]: layer for layer in large["layers"]}
    cut = {layer["name"].split(" [")[0] for layer in parts}
    assert cut and cut <= set(whole)
    for name in cut:
        own = [layer for layer in parts if layer["name"].startswith(name + " [")]
        assert sum(layer["cols"] for layer in own) == whole[name]["cols"]
        assert {layer["rows"] for layer in own} == {whole[name]["rows"]}
        assert sum(layer["crossbars"] for layer in own) >= whole[name]["crossbars"]
        assert all(layer["crossbars"] <= imas * 2 for layer in own)
    # The same conversions; every cell is written once.
    assert result["adc"]["conversions"] == large["adc"]["conversions"]
    assert result["reprogramming"]["cells_written"] == reprogrammed_cells(large)
    sums_agree(result)


def reprogrammed_cells(result):
    """Of crossbars that hold each layer once: every cell of its matrix, in every array and slice."""
    return sum(layer["cell_utilization"] * layer["crossbars"] * 64 * 64 for layer in result["layers"] if layer["crossbars"])


# The machine of tests/timing/chip_timing_test.cpp, of one IMA of two crossbars.
ROUND = """
name: round
device: {bits_per_cell: 2, write_latency: 40 ns}
crossbar: {rows: 16, cols: 16, active_rows: 16, read_latency: 10 ns}
dac: {bits: 1}
sample_hold: {latency: 0 ns}
adc: {per_ima: 2, rated_bits: 8, rate: 1 GS/s, resolution: {policy: fixed, bits: 8}}
encoding: {flip: false}
precision: {weights: {bits: 4}, activations: {bits: 8}}
ima:
  crossbars: 2
  clock: 100 MHz
  output_bits: 16
  input_register: {capacity: 1 KiB, buffers: 2, latency: 0 ns}
  output_register: {capacity: 1 KiB, buffers: 2, latency: 10 ns}
  shift_add: {latency: 10 ns}
tile:
  imas: 1
  write_rows: 1
  edram: {capacity: 1 MiB, width: 32, banks: 1, clock: 1 GHz, latency: 2 ns}
  bus: {wires: 16, clock: 1 GHz}
  shift_add: {units: 2, rate: 1 GHz, latency: 3 ns}
  output_register: {latency: 0 ns}
  requantise: {units: 4, clock: 1 GHz, latency: 0 ns}
noc: {tiles_per_router: 1, flit_bits: 32, clock: 1 GHz, router_cycles: 1}
chip: {tiles: 1, mesh_width: 1, link: {links: 1, bandwidth: 1 GB/s, power: 1 W}}
mapping: {oversize: reprogram}
"""


def test_a_layer_in_two_phases_takes_what_is_derived_by_hand(tmp_path):
    # 4 inputs, 20 outputs of two cells: an IMA has 16, so parts of 16 and 4. In ns:
    # First phase: 4 rows in each of 2 crossbars, 8 x 40 = 320 (32 bytes of codes over the link: 32). Input: link 324,
    # router 325, written 328, fill max(1, 2) + 2 = 332. Reads from 340; 16 columns per crossbar and ADC: 8 latches, each
    # 20 after the one before: 350 ... 490; converted 506, from the edge at 510 on shift-add 520, output register 530,
    # drained (16 results) 546, requantised 550, router (4 flits) 554, out of the chip 570.
    # Second phase: 4 rows of 8 cells, 160: 730. The link brings the input again until 734 and the 16 stored outputs until
    # 750; these are in the eDRAM at 754 + 4 + 2 = 760. Input: router 735, written 738, fill 742, reads from 750, latches
    # 760 ... 830, converted 838, 860, drained 864, requantised 865, written 868: the Concat's window opens. It reads
    # 16 + 4 bytes, 5 + 2: 875, requantises 20 elements, 880, router (5 flits) 885, out of the chip 905.
    (tmp_path / "round.yaml").write_text(ROUND)
    network = tiny_onnx.save(tmp_path / "fc.onnx", tiny_onnx.gemm_model(4, 20))
    result = json.loads(cli.succeed("run", "--arch", tmp_path / "round.yaml", "--network", network, "--json", "--quiet").out)
    assert [layer["name"] for layer in result["layers"] if layer["crossbars"]] == ["fc1 [1 of 2]", "fc1 [2 of 2]"]
    written = result["reprogramming"]
    assert (written["phases"], written["cells_written"], written["weight_bytes"]) == (2, 4 * 40, 40)
    assert written["stored_bytes"] == 16
    assert written["write_latency_s"] == pytest.approx((320 + 160) * 1e-9, rel=1e-12)
    assert result["latency_s"]["total"] == pytest.approx(905e-9, rel=1e-12)
    # In twice, stored, loaded, out, and the codes: bytes of 1 W at 1 GB/s.
    moved = result["energy_j"]["by_component"]["chip_link"] * 1e9
    assert moved == pytest.approx(4 + 4 + 16 + 16 + 20 + 40, rel=1e-9)


def test_a_layer_whose_rows_are_larger_than_the_chip_is_named(tmp_path):
    (tmp_path / "round.yaml").write_text(ROUND)
    network = tiny_onnx.save(tmp_path / "fc.onnx", tiny_onnx.gemm_model(40, 4))  # three crossbars of rows, two are there
    error = cli.refuse(cli.MAPPING, "map", "--arch", tmp_path / "round.yaml", "--network", network)
    assert "fc1" in error and "this layer alone needs 2 IMAs" in error and "1 IMAs (1 tiles)" in error and "more_chips" in error
