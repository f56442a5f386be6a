# SPDX-License-Identifier: Apache-2.0
"""Mode analytic from the command line: schema, agreement with mode cycle, options and refusals."""

import json

import jsonschema
import numpy as np
import pytest

import cli

SCHEMA = json.loads((cli.ROOT / "sim" / "result" / "result.schema.json").read_text())
MACHINES = {"isaac": (cli.ISAAC, []), "isaac-8bit": (cli.ISAAC_8BIT, []), "bitslice-l1": (cli.BITSLICE, []),
            "pruned": (cli.ISAAC_8BIT, ["--set", "mapping.prune=paths"]),
            "lossless": (cli.ISAAC_8BIT, ["--set", "adc.resolution.policy=lossless"])}


def run(mode, arch, *arguments, network=cli.CNN):
    answer = cli.succeed("run", "--mode", mode, "--arch", arch, "--network", network, "--json", "--quiet", *arguments)
    return json.loads(answer.out)


@pytest.mark.parametrize("machine", MACHINES)
def test_agrees_with_cycle(machine):
    arch, sets = MACHINES[machine]
    cycle, estimate = (run(mode, arch, "--batch", 3, *sets) for mode in ("cycle", "analytic"))
    jsonschema.Draft202012Validator(SCHEMA).validate(estimate)
    for figure in ("image", "interval", "total"):
        assert estimate["latency_s"][figure] == pytest.approx(cycle["latency_s"][figure], rel=0.005)
    assert estimate["area_mm2"] == cycle["area_mm2"]
    assert estimate["crossbars"] == cycle["crossbars"] and estimate["macs"] == cycle["macs"]
    assert estimate["adc"]["conversions"] == cycle["adc"]["conversions"]
    for name, joules in cycle["energy_j"]["by_component"].items():
        if name not in ("dac", "crossbar"):  # these two depend on the inputs
            assert estimate["energy_j"]["by_component"][name] == pytest.approx(joules, rel=1e-9), name
    for mine, theirs in zip(estimate["layers"], cycle["layers"], strict=True):
        same = ("name", "op", "crossbars", "replicas", "rows", "cols", "imas", "tiles", "cell_utilization")
        assert [mine[key] for key in same] == [theirs[key] for key in same]
        assert [s["adc_bits"] for s in mine["slices"]] == [s["adc_bits"] for s in theirs["slices"]]


@pytest.mark.parametrize("mode", ["cycle", "analytic"])
def test_paths_of_different_lengths_keep_the_pace_of_the_busiest_layer(mode, tmp_path):
    """A cell in which skips and poolings pass by dilated and separable 5x5 convolutions, whose outputs come rows later."""
    cells = {"normal": [["max_pool_3x3", 0], ["dil_conv_5x5", 1], ["dil_conv_5x5", 0], ["dil_conv_3x3", 1],
                        ["dil_conv_5x5", 2], ["avg_pool_3x3", 3], ["sep_conv_5x5", 1], ["skip_connect", 3]],
             "reduce": [["dil_conv_3x3", 1], ["dil_conv_3x3", 0], ["max_pool_3x3", 2], ["skip_connect", 1],
                        ["sep_conv_5x5", 0], ["dil_conv_3x3", 1], ["avg_pool_3x3", 2], ["max_pool_3x3", 1]]}
    (tmp_path / "cells.json").write_text(json.dumps(cells))
    cli.succeed("workload", "make", "darts", "--genotype", tmp_path / "cells.json", "--layers", 3, "--channels", 8, "-o", tmp_path / "n.onnx")
    result = run(mode, cli.ISAAC_8BIT, "--batch", 3, network=tmp_path / "n.onnx")
    # The stem's 1024 windows of eight chunks, 100 ns each.
    assert result["latency_s"]["interval"] == pytest.approx(1024 * 800e-9, rel=0.01)


def test_measured_activity_gives_the_energy_of_cycle(tmp_path):
    np.save(tmp_path / "x.npy", np.load(cli.TEST_X)[:3])
    data = ["--input", tmp_path / "x.npy", "--calibrate", cli.CALIBRATION, "--batch", 3]
    for arguments in (data, ["--batch", 2]):
        cycle = run("cycle", cli.ISAAC_8BIT, *arguments)
        estimate = run("analytic", cli.ISAAC_8BIT, *arguments, *([] if "--input" in arguments else ["--activity", "measured"]))
        assert estimate["energy_j"]["dynamic"] == pytest.approx(cycle["energy_j"]["dynamic"], rel=1e-12)
        assert estimate["estimate"]["activity"] == "measured" and estimate["estimate"]["expected_error"]["energy"] == 0
        jsonschema.Draft202012Validator(SCHEMA).validate(estimate)


def test_the_expected_error_tells_of_copies_and_of_pooling_in_several_tiles():
    copies, slow = ["--set", "mapping.replication=balanced"], ["--set", "tile.pooling.clock=1 MHz"]
    errors = [run("analytic", cli.ISAAC_8BIT, *sets)["estimate"]["expected_error"]
              for sets in ([], copies, [*slow, "--set", "mapping.digital=spread"])]
    for key in ("latency", "interval"):
        assert errors[0][key] < errors[1][key] < errors[2][key]


def test_a_factor_scales_what_depends_on_inputs():
    energies = []
    for share in (0.25, 0.5):
        factors = [word for name in ("input", "nonnegative", "signed", "depthwise") for word in ("--activity", f"{name}={share}")]
        result = run("analytic", cli.ISAAC_8BIT, *factors)
        assert result["estimate"]["factors"]["signed"] == share
        energies.append(result["energy_j"]["by_component"])
    for name, joules in energies[1].items():
        factor = 0.5 if name in ("dac", "crossbar") else 1
        assert energies[0][name] == pytest.approx(factor * joules, rel=1e-6), name


def test_weights_are_not_read_where_costs_do_not_need_them():
    slices = run("analytic", cli.ISAAC_8BIT)["layers"][1]["slices"]
    assert slices and all(s["nonzero_ratio"] is None and s["max_column_sum"] is None for s in slices)
    lossless = run("analytic", cli.ISAAC_8BIT, "--set", "adc.resolution.policy=lossless")["layers"][1]["slices"]
    assert all(0 < s["nonzero_ratio"] <= 1 and s["max_column_sum"] > 0 for s in lossless)


def test_the_report_says_so():
    out = cli.succeed("run", "--mode", "analytic", "--arch", cli.ISAAC, "--network", cli.CNN, "--quiet").out
    assert "analytic; no values" in out


@pytest.mark.parametrize("arguments, said", [
    (["--activity", "speed=0.5"], "--activity speed=0.5: is no factor; allowed: input, nonnegative, signed, depthwise, zero_reads, mean_level"),
    (["--activity", "signed=1.5"], "--activity signed=1.5: is no share; allowed: signed=0 to 1"),
    (["--activity", "signed"], "--activity signed: is no share; allowed: signed=0 to 1"),
    (["--activity", "signed=0.5", "--input", cli.TEST_X], "--activity: factors beside images"),
    (["--mode", "cycle", "--activity", "signed=0.5"], "--activity: given with --mode cycle; allowed: --mode analytic"),
])
def test_wrong_activity_is_refused(arguments, said):
    mode = [] if "--mode" in arguments else ["--mode", "analytic"]
    assert said in cli.refuse(cli.USAGE, "run", *mode, "--arch", cli.ISAAC, "--network", cli.CNN, *arguments)


@pytest.mark.parametrize("policy, given", [("more_chips", "chips in mode analytic"), ("reprogram", "phases in mode analytic")])
def test_a_network_beyond_one_chip_is_refused(policy, given):
    message = cli.refuse(cli.MAPPING, "run", "--mode", "analytic", "--arch", cli.ISAAC_8BIT, "--network", cli.CNN,
                         "--set", "chip.tiles=1", "--set", "chip.mesh_width=1", "--set", "tile.imas=4",
                         "--set", f"mapping.oversize={policy}")
    assert given in message and "use mode cycle" in message
