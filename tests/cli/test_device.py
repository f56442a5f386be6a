# SPDX-License-Identifier: Apache-2.0
"""Effects of devices and converters through `bitline run`: chips, seeds, what they change and what they must not."""

import csv
import json

import jsonschema
import numpy as np
import pytest

import cli
import pruned_onnx
import tiny_onnx

IMAGES = 24
SCHEMA = json.loads((cli.ROOT / "sim" / "result" / "result.schema.json").read_text())
NOISY = {"device.variation.model": "normal", "device.read_noise": "0.02", "device.stuck.off": "0.002",
         "adc.errors.noise": "0.2"}
TIME_AND_COST = ("latency_s", "cycles", "throughput_ips", "energy_j", "area_mm2", "power_w", "tops", "adc", "parts",
                 "layers")


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """Images and labels; few, as only the figures' relations are tested."""
    folder = tmp_path_factory.mktemp("digits")
    np.save(folder / "x.npy", np.load(cli.TEST_X)[:IMAGES])
    np.save(folder / "y.npy", np.load(cli.TEST_Y)[:IMAGES])
    return folder


def words(sets):
    return [word for item in sets.items() for word in ("--set", "=".join(map(str, item)))]


def run(digits, sets, *arguments, labels=True):
    given = ["--labels", digits / "y.npy"] if labels else []
    answer = cli.succeed("run", "--arch", cli.ISAAC_8BIT, "--network", cli.CNN, "--input", digits / "x.npy", *given,
                         "--calibrate", cli.CALIBRATION, "--json", "--quiet", *words(sets), *arguments)
    result = json.loads(answer.out)
    jsonschema.Draft202012Validator(SCHEMA).validate(result)
    return result


def plain(result):
    """Without what differs between equal runs."""
    return {key: value for key, value in result.items() if key != "wall_time_s"}


def test_effects_do_not_change_time_and_cost(digits):
    ideal, noisy = run(digits, {}, "--batch", 3), run(digits, NOISY, "--batch", 3)
    assert "device" not in ideal
    for key in TIME_AND_COST:
        assert noisy[key] == ideal[key], key
    assert noisy["device"]["effects"] == ["device.variation", "device.stuck", "device.read_noise", "adc.errors"]
    assert noisy["device"]["ideal_top1"] == ideal["accuracy"]["top1"]
    assert [layer["name"] for layer in noisy["device"]["layers"]] == [
        layer["name"] for layer in ideal["layers"] if layer["crossbars"]]


def test_reference_columns_cost_their_cells(digits):
    """conv1 lies on one crossbar: 16 outputs of four slices, and the reference column where level 0 conducts."""
    ideal, finite = run(digits, {}), run(digits, {"device.off_state": "finite"})
    for key in TIME_AND_COST:
        if key not in ("energy_j", "area_mm2", "power_w", "tops", "layers"):
            assert finite[key] == ideal[key], key

    def crossbars(result):
        conv1 = next(layer for layer in result["layers"] if layer["name"] == "conv1")
        return result["area_mm2"]["by_component"]["crossbar"], conv1["energy_j"]["by_component"]["crossbar"]
    area, energy = (a / b for a, b in zip(crossbars(finite), crossbars(ideal)))
    assert area == pytest.approx(129 / 128, rel=1e-9) and energy == pytest.approx(65 / 64, rel=1e-9)
    kept = run(digits, {"device.off_state": "finite", "device.off_current": "kept"})
    assert crossbars(kept) == crossbars(ideal)


def test_keys_that_switch_nothing_on_change_nothing(digits, tmp_path):
    """All defaults written out, and companions of effects that are off: the same integers."""
    sets = {"device.seed": 7, "device.variation.sigma": 0.5, "device.off_current": "kept", "device.drift.time": "1e6 s",
            "device.worst_case.choice": "random", "adc.errors.offset": 0}
    results = []
    for name, given in (("a", {}), ("b", sets)):
        results.append(plain(run(digits, given, "--dump-layers", tmp_path / name)))
        results[-1].pop("provenance")
    assert results[0] == results[1]
    for path in (tmp_path / "a").glob("*.y.npy"):
        assert np.array_equal(np.load(path), np.load(tmp_path / "b" / path.name))


def test_the_same_seed_gives_the_same_bytes_whatever_the_threads(digits):
    first = plain(run(digits, NOISY, "--trials", 2, "--threads", 1))
    assert plain(run(digits, NOISY, "--trials", 2, "--threads", 2)) == first
    assert plain(run(digits, {**NOISY, "device.seed": 2}, "--trials", 2)) != first


def test_an_image_does_not_depend_on_those_after_it(digits, tmp_path):
    np.save(tmp_path / "x.npy", np.load(digits / "x.npy")[:7])
    np.save(tmp_path / "y.npy", np.load(digits / "y.npy")[:7])
    run(digits, NOISY, "--dump-outputs", tmp_path / "all")
    run(tmp_path, NOISY, "--dump-outputs", tmp_path / "few")
    assert np.array_equal(np.load(tmp_path / "all" / "logits.npy")[:7], np.load(tmp_path / "few" / "logits.npy"))


def test_trials_are_the_chips_of_successive_seeds(digits):
    sets = {**NOISY, "device.seed": 11}
    device = run(digits, sets, "--trials", 3)["device"]
    assert [chip["seed"] for chip in device["chips"]] == [11, 12, 13]
    alone = run(digits, {**sets, "device.seed": 12})
    assert alone["device"]["chips"] == device["chips"][1:2]
    assert alone["accuracy"]["top1"] == alone["device"]["chips"][0]["top1"]
    assert alone["device"]["top1"] == {"mean": alone["accuracy"]["top1"], "deviation": None, "ci95": None}


def test_means_and_intervals_are_those_of_the_chips(digits):
    device = run(digits, NOISY, "--trials", 4)["device"]
    for name in ("top1", "output_rms_error", "column_sum_rms_error"):
        values = np.array([chip[name] for chip in device["chips"]])
        assert np.isclose(device[name]["mean"], values.mean())
        assert np.isclose(device[name]["deviation"], values.std(ddof=1))
        half = 3.182446 * values.std(ddof=1) / 2    # Student's t, three degrees of freedom
        assert np.allclose(device[name]["ci95"], [values.mean() - half, values.mean() + half], rtol=1e-6)


def test_a_folder_holds_the_table_of_the_chips(digits, tmp_path):
    device = run(digits, NOISY, "--trials", 2, "--out", tmp_path / "out")["device"]
    with open(tmp_path / "out" / "chips.csv", newline="") as file:
        rows = [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]
    assert rows == device["chips"]


def test_without_labels_there_is_the_error_of_the_outputs(digits, tmp_path):
    result = run(digits, NOISY, "--dump-outputs", tmp_path / "noisy", labels=False)
    run(digits, {}, "--dump-outputs", tmp_path / "ideal", labels=False)
    assert "accuracy" not in result and "top1" not in result["device"]
    noisy, ideal = (np.load(tmp_path / n / "logits.npy").astype(np.float64) for n in ("noisy", "ideal"))
    expected = np.sqrt(((noisy - ideal) ** 2).sum() / (ideal**2).sum())
    assert np.isclose(result["device"]["chips"][0]["output_rms_error"], expected, rtol=1e-9)
    assert expected > 0.01


def test_the_report_tells_them(digits):
    out = cli.succeed("run", "--arch", cli.ISAAC_8BIT, "--network", cli.CNN, "--input", digits / "x.npy", "--labels",
                      digits / "y.npy", "--trials", 2, *words(NOISY)).out
    assert "not ideal           variation, stuck, read_noise, adc.errors" in out
    assert "(2 chips)" in out and "rms error, in steps of a level" in out


def test_the_worst_cells_hurt_more_than_any_of_many_random_choices(digits):
    cells = {"device.worst_case.cells": 20}
    worst = run(digits, cells)["device"]
    random = run(digits, {**cells, "device.worst_case.choice": "random"}, "--trials", 12)["device"]
    assert worst["chips"][0]["stuck_cells"] == 20 and all(chip["stuck_cells"] == 20 for chip in random["chips"])
    assert worst["chips"][0]["top1"] <= min(chip["top1"] for chip in random["chips"])
    assert worst["chips"][0]["output_rms_error"] > max(chip["output_rms_error"] for chip in random["chips"])
    assert worst["chips"][0]["top1"] < worst["ideal_top1"] - 0.2


def test_a_structural_run_checks_the_exact_integers_all_the_same(digits):
    for sets in (NOISY, {**NOISY, "device.off_state": "finite"}):  # the latter with reference columns
        structural = run(digits, sets, "--mode", "structural")
        cycle = run(digits, sets)
        assert structural["device"] == cycle["device"] and structural["energy_j"] == cycle["energy_j"]


def test_a_fault_map_names_cells_of_the_chip(tmp_path):
    """A cell of the first crossbar acts, one that holds nothing does not."""
    np.save(tmp_path / "x.npy", np.load(cli.TEST_X)[:4])
    used, unused = tmp_path / "used.csv", tmp_path / "unused.csv"
    used.write_text("0,0,0,0,0,on\n")
    unused.write_text("167,11,7,127,127,on\n")
    results = {}
    for name in (used, unused):
        out = cli.succeed("run", "--arch", cli.ISAAC_8BIT, "--network", cli.CNN, "--input", tmp_path / "x.npy",
                          "--json", "--quiet", "--set", f"device.stuck.map={name}").out
        results[name] = json.loads(out)["device"]
    assert results[used]["chips"][0]["stuck_cells"] == 1 and results[used]["chips"][0]["output_rms_error"] > 0
    assert results[unused]["chips"][0] == {"seed": 1, "stuck_cells": 0, "column_sum_rms_error": 0.0,
                                           "output_rms_error": 0.0}
    assert len(results[used]["fault_map_sha256"]) == 64


@pytest.mark.parametrize("sets", [
    {"device.variation.model": "lognormal", "device.variation.sigma": 10, "device.read_noise": 10},
    {"device.drift.spread": 1, "device.drift.time": "1e10 s", "device.drift.reference_time": "1 ns"},
    {"device.off_state": "finite", "device.off_current": "digital", "device.r_on": "999999999999 Ohm",
     "device.r_off": "1000 GOhm"},
    {"device.wire_resistance": "1 MOhm", "device.r_on": "1 Ohm", "device.r_off": "2 Ohm"},
    {"adc.errors.gain": 10, "adc.errors.offset": -1e6, "adc.errors.noise": 1e6},
    {"device.stuck.off": 0.5, "device.stuck.on": 0.5},
], ids=lambda sets: next(iter(sets)))
def test_the_ends_of_the_ranges_give_finite_figures(digits, sets):
    assert run(digits, sets)["device"]["output_rms_error"]["mean"] > 0.3


@pytest.mark.parametrize("sets", [
    {"mapping.prune": "rows_cols"},
    {"mapping.prune": "paths"},
    {"mapping.prune": "paths", "encoding.weights": "differential", "encoding.flip": "false"},
    {"mapping.oversize": "more_chips", "mapping.prune": "paths", "chip.tiles": 2, "tile.imas": 1},
    {"mapping.oversize": "reprogram", "mapping.prune": "paths", "chip.tiles": 6, "tile.imas": 1},
], ids=lambda sets: "-".join(map(str, sets.values())))
def test_every_mapping_has_its_cells(digits, tmp_path, sets):
    """The reference column takes the off current of every cell that is there; faults find cells that are there."""
    network = tiny_onnx.save(tmp_path / "net.onnx", pruned_onnx.network(1))
    small = {"crossbar.rows": 16, "crossbar.active_rows": 16, "crossbar.cols": 16, "tile.edram.capacity": "4 MiB",
             "adc.resolution.policy": "lossless", "ima.output_register.capacity": "8 KiB", "noc.tiles_per_router": 1, **sets}
    arguments = ("run", "--arch", cli.ISAAC_8BIT, "--network", network, "--input", digits / "x.npy", "--json", "--quiet")
    for effect, differs in (({"device.off_state": "finite"}, False), ({"device.worst_case.cells": 5}, True)):
        chip = json.loads(cli.succeed(*arguments, *words({**small, **effect})).out)["device"]["chips"][0]
        assert (chip["output_rms_error"] > 0) == differs
        assert chip["stuck_cells"] == (5 if differs else 0)


RUN = ("run", "--arch", cli.ISAAC_8BIT, "--network", cli.CNN)


def test_chips_that_are_all_the_same_are_refused():
    err = cli.refuse(cli.USAGE, *RUN, "--trials", 5)
    assert "--trials: 5 chips of a machine whose chips do not differ; allowed: 1" in err
    assert "device.variation.model=normal" in err
    cli.refuse(cli.USAGE, *RUN, "--trials", 5, "--set", "device.wire_resistance=1 Ohm")
    cli.refuse(cli.USAGE, *RUN, "--trials", 0)


@pytest.mark.parametrize("sets, says", [
    (["device.stuck.off=0.6", "device.stuck.on=0.6"], "device.stuck.on"),
    (["device.stuck.off=1.5"], "device.stuck.off"),
    (["device.drift.time=1 s", "device.drift.reference_time=2 s"],
     "device.drift.time: 1 s; allowed: at least device.drift.reference_time = 2 s"),
    (["device.drift.time=100"], "has no unit"),
    (["device.variation.model=gaussian"], "none, normal, normal_of_range, lognormal, measured"),
    (["device.read_noise=-1"], "device.read_noise"),
    (["adc.errors.noise=-0.1"], "adc.errors.noise"),
    (["device.wire_resistance=2.82"], "has no unit"),
    (["device.stuck.map=/nowhere/map.csv"], "device.stuck.map: /nowhere/map.csv"),
])
def test_faulty_keys_are_refused(sets, says):
    assert says in cli.refuse(cli.CONFIG, *RUN, *[word for s in sets for word in ("--set", s)])


def test_a_faulty_map_is_refused_line_by_line(tmp_path):
    path = tmp_path / "map.csv"
    path.write_text("0,0,0,0,0,on\n0,0,0,500,0,on\n0,0,0\n")
    err = cli.refuse(cli.CONFIG, *RUN, "--set", f"device.stuck.map={path}")
    assert f"{path}:2" in err and f"{path}:3" in err and f"{path}:1:" not in err


def test_the_search_for_resolutions_refuses_what_it_does_not_look_at(digits):
    err = cli.refuse(cli.CONFIG, "adc", "--arch", cli.ISAAC_8BIT, "--network", cli.CNN, "--input", digits / "x.npy",
                     "--labels", digits / "y.npy", *words(NOISY))
    assert "device.variation: is on; allowed: off" in err and "adc.errors: is on" in err


def test_memory_that_the_cells_would_take_is_bounded(tmp_path):
    network = tmp_path / "vgg.onnx"
    cli.succeed("workload", "make", "vgg8", "-o", network)
    err = cli.refuse(cli.MAPPING, "run", "--arch", cli.ISAAC_8BIT, "--network", network, "--max-memory", "250 MB",
                     "--set", "device.read_noise=0.1")
    assert "conductances" in err
