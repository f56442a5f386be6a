# SPDX-License-Identifier: Apache-2.0
"""`bitline adc`: every setting is what a run of it gives, the search is the stated one, its choice the cheapest."""

import csv
import json

import numpy as np
import pytest

import cli

OBJECTIVES = {"energy": "energy_j", "edp": "edp_js", "area": "area_mm2", "latency": "latency_s"}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Sixty labelled digits."""
    folder = tmp_path_factory.mktemp("data")
    np.save(folder / "x.npy", np.load(cli.TEST_X)[:60])
    np.save(folder / "y.npy", np.load(cli.TEST_Y)[:60])
    return ["--arch", cli.ISAAC_8BIT, "--network", cli.CNN, "--input", folder / "x.npy", "--labels", folder / "y.npy",
            "--calibrate", cli.CALIBRATION]


def adc(data, *options):
    return json.loads(cli.succeed("adc", *data, "--json", "--quiet", *options).out)


def settings_of(found, step):
    return [s for s in found["settings"] if s["step"] == step]


def test_a_setting_is_what_a_run_of_it_gives(data):
    found = adc(data, "--from", "8,7,7,6", "--to", 6, "--batch", 2)
    for setting in [found["settings"][0], *settings_of(found, 1)[:2], settings_of(found, 0)[-1]]:
        run = json.loads(cli.succeed("run", *data, "--json", "--quiet", "--batch", 2, "--set", "adc.resolution.policy=fixed",
                                     "--set", f"adc.resolution.bits={setting['bits']}").out)
        assert setting["top1"] == run["accuracy"]["top1"]
        assert setting["energy_j"] == run["energy_j"]["total"]
        assert setting["area_mm2"] == run["area_mm2"]["total"]
        assert setting["latency_s"] == run["latency_s"]["image"]
        assert setting["edp_js"] == setting["energy_j"] * setting["latency_s"]
    whole = json.loads(cli.succeed("run", *data, "--json", "--quiet", "--batch", 60, "--set", "adc.resolution.policy=fixed",
                                   "--set", "adc.resolution.bits=6").out)["adc"]
    assert settings_of(found, 0)[-1]["bits"] == [6] * 4
    assert settings_of(found, 0)[-1]["clipped_share"] == whole["clipped"] / whole["conversions"]
    exact = json.loads(cli.succeed("run", *data, "--json", "--quiet", "--set", "adc.resolution.policy=lossless").out)["accuracy"]
    assert (found["lossless_top1"], found["float_top1"]) == (exact["top1"], exact["float_top1"])


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("placement", ["interleaved", "separate"])
def test_the_search_is_the_stated_one(data, objective, placement):
    """Lower each slice by one; go on from the cheapest that keeps the accuracy, of equal ones the most accurate."""
    loss = 1.7                                      # one image of sixty
    found = adc(data, "--from", 7, "--to", 4, "--max-loss", loss, "--objective", objective,
                "--set", f"slices.placement={placement}", "--set", "ima.output_register.capacity=4 KiB")
    figure = OBJECTIVES[objective]

    def order(s):
        return (s[figure], -s["top1"])

    for s in found["settings"]:
        assert s["keeps_accuracy"] == (100 * (found["lossless_top1"] - s["top1"]) <= loss + 1e-9)
    assert [s["bits"] for s in settings_of(found, 0)] == [[b] * 4 for b in (7, 6, 5, 4)]
    bits, step = [7] * 4, 1
    while True:
        tried = settings_of(found, step)
        expected = [bits[:s] + [bits[s] - 1] + bits[s + 1:] for s in range(4) if bits[s] > 4]
        assert [s["bits"] for s in tried] == expected
        keeping = [s for s in tried if s["keeps_accuracy"]]
        if not keeping:
            assert not any(s["taken"] for s in tried)
            break
        taken = [s for s in tried if s["taken"]]
        assert taken == [min(keeping, key=order)]
        bits, step = taken[0]["bits"], step + 1
    assert step > 1 and settings_of(found, step + 1) == []
    assert order(found["best"]) == min(order(s) for s in found["settings"] if s["keeps_accuracy"])
    start = found["settings"][0]
    assert found["best"][figure] <= start[figure]


def test_equal_whatever_the_threads_and_written_as_csv_and_json(data, tmp_path):
    options = [*data, "--from", 7, "--to", 6]
    one = cli.succeed("adc", *options, "--threads", 1, "--out", tmp_path / "one")
    two = cli.succeed("adc", *options, "--threads", 2, "--out", tmp_path / "two")
    assert one.out == two.out
    for name in ("adc.json", "adc.csv"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    found = json.loads((tmp_path / "one" / "adc.json").read_text())
    assert found["schema"] == "bitline.adc/1" and found["images"] == 60 and found["slice_widths"] == [2, 2, 2, 2]
    with open(tmp_path / "one" / "adc.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(found["settings"])
    for row, setting in zip(rows, found["settings"]):
        assert row["bits"] == "/".join(map(str, setting["bits"]))
        assert [float(row[k]) for k in ("top1", "clipped_share", "energy_j", "area_mm2", "latency_s")] == \
            [setting[k] for k in ("top1", "clipped_share", "energy_j", "area_mm2", "latency_s")]
    assert "Cheapest: " in one.out and "adc.json and adc.csv are in" in one.err
    assert max(map(len, one.out.splitlines())) <= 80


def test_starts_from_the_machines_own_resolutions(data):
    found = adc(data, "--sweep", "--to", 7, "--set", "adc.resolution.policy=fixed", "--set", "adc.resolution.bits=[7, 9, 8, 8]")
    assert [s["bits"] for s in found["settings"]] == [[7, 9, 8, 8], [9] * 4, [8] * 4, [7] * 4]
    assert adc(data, "--sweep", "--to", 8)["settings"][0]["bits"] == [8] * 4        # ISAAC's rule


def test_only_resolutions_that_the_model_has(data):
    rows = ", ".join(f"{{bits: {b}, energy: {b} pJ, area: {100 * b} um2, rate: 1.28 GS/s}}" for b in (8, 7, 5))
    found = adc(data, "--from", 8, "--set", "adc.model=table", "--set", "adc.anchored=false", "--set", f"adc.table=[{rows}]")
    assert {b for s in found["settings"] for b in s["bits"]} == {8, 7, 5}
    assert [s["bits"] for s in settings_of(found, 0)] == [[8] * 4, [7] * 4, [5] * 4]


def test_nothing_keeps_the_accuracy(data):
    found = adc(data, "--from", 3, "--to", 2)
    assert found["best"] is None and {s["step"] for s in found["settings"]} == {0}
    assert "No setting keeps the accuracy" in cli.succeed("adc", *data, "--from", 3, "--to", 2, "--quiet").out


def test_refusals(data):
    assert "--labels: not given" in cli.refuse(cli.USAGE, "adc", *data[:6])
    said = cli.refuse(cli.USAGE, "adc", *data, "--from", "8,8", "--to", 25, "--max-loss=-1")
    assert "--from: 2 numbers" in said and "--to: 25 bits" in said and "--max-loss: -1" in said
    assert "--from: 3 bits; allowed: 4 (--to) to 24" in cli.refuse(cli.USAGE, "adc", *data, "--from", 3, "--to", 4)
    assert "--objective" in cli.refuse(cli.USAGE, "adc", *data, "--objective", "price")
    assert "adc.rates" in cli.refuse(cli.CONFIG, "adc", *data, "--set", "adc.rates=1")
    cli.refuse(cli.MAPPING, "adc", *data, "--set", "chip.tiles=1", "--set", "tile.imas=1", "--set", "chip.mesh_width=1")
    cli.refuse(cli.TIMEOUT, "adc", *data, "--timeout", "0.01")
