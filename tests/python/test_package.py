# SPDX-License-Identifier: Apache-2.0
"""The package `bitline` in the build tree: costs, networks in every form, errors, trees."""

import collections
import json
import pathlib
import pickle
import resource
import sqlite3
import subprocess
import sys

import numpy as np
import onnx
import pandas
import pytest
import torch

import bitline
import cli

ORACLE = bitline.CostOracle(cli.ISAAC_8BIT)
CELLS = {"normal": [["sep_conv_3x3", 0], ["skip_connect", 1]] * 4, "reduce": [["max_pool_3x3", 0], ["dil_conv_5x5", 1]] * 4}
SMALL = {"layers": 3, "channels": 8}


def command(*arguments):
    return json.loads(cli.succeed(*arguments, "--json").out)


def analytic(network, *arguments, arch=cli.ISAAC_8BIT):
    return command("run", "--mode", "analytic", "--quiet", "--arch", arch, "--network", network, *arguments)


def test_a_cost_is_that_of_the_command_line():
    tree = analytic(cli.CNN)
    cost = ORACLE.evaluate(cli.CNN, layers=True)
    assert cost.latency_s == tree["latency_s"]["image"] and cost.energy_j == tree["energy_j"]["total"]
    assert cost["area_mm2"] == tree["area_mm2"]["total"] and dict(cost) == cost.dict()
    assert [row["name"] for row in cost.layers] == [row["name"] for row in tree["layers"]]
    assert set(cost.units) < set(cost) and cost.units["energy_j"] == "J"
    assert cost.fidelity == "analytic" and cost.version == bitline.__version__ and "latency_s" in repr(cost)
    assert str(cost).splitlines()[0] == (f"latency {tree['latency_s']['image'] * 1e6:.4g} us, interval {tree['latency_s']['interval'] * 1e6:.4g} us, "
                                         f"energy {tree['energy_j']['total'] * 1e9:.4g} nJ, area {cost.area_mm2:.4g} mm2, "
                                         f"{cost.crossbars} crossbars (analytic)")
    assert len(str(cost).splitlines()) == 1 + len(cost.layers) and set(cost.layer_units) | {"name", "op"} == set(cost.layers[0])
    assert cost.frame()["energy_j"].sum() == pytest.approx(cost.energy_j, rel=1e-9)
    assert pickle.loads(pickle.dumps(cost)) == cost
    with pytest.raises(AttributeError, match="layers=True"):
        _ = ORACLE.evaluate(cli.CNN).layers
    with pytest.raises(AttributeError, match="does not change"):
        cost.latency_s = 1.0


def test_options_of_the_oracle():
    tree = analytic(cli.CNN, "--batch", 4, "--set", "crossbar.read_latency=50 ns", "--activity", "signed=0.1")
    oracle = bitline.CostOracle(str(cli.ISAAC_8BIT), batch=4, set={"crossbar.read_latency": "50 ns"}, activity={"signed": 0.1})
    cost = oracle.evaluate(cli.CNN)
    assert (cost.interval_s, cost.energy_j) == (tree["latency_s"]["interval"], tree["energy_j"]["total"])


def test_all_forms_of_a_network_cost_the_same(tmp_path):
    path = ORACLE.evaluate(cli.CNN)
    assert ORACLE.evaluate(str(cli.CNN)) == ORACLE.evaluate(cli.CNN.read_bytes()) == path
    assert ORACLE.evaluate(onnx.load(cli.CNN)) == path
    (tmp_path / "g.json").write_text(json.dumps(CELLS))
    cli.succeed("workload", "make", "darts", "--genotype", tmp_path / "g.json", "--layers", 3, "--channels", 8, "-o", tmp_path / "n.onnx")
    file = ORACLE.evaluate(tmp_path / "n.onnx")
    assert ORACLE.evaluate(bitline.Genotype(CELLS, **SMALL)) == file
    darts = collections.namedtuple("Genotype", "normal normal_concat reduce reduce_concat")
    named = darts([tuple(edge) for edge in CELLS["normal"]], range(2, 6), [tuple(edge) for edge in CELLS["reduce"]], range(2, 6))
    assert ORACLE.evaluate("DARTS_V2") == ORACLE.evaluate(bitline.Genotype())
    assert ORACLE.evaluate(bitline.Workload("vgg8")).macs > 5e8
    assert request_cells(named) == {key: CELLS[key] for key in ("normal", "reduce")}


def request_cells(genotype):
    from bitline.networks import request_of
    cells = request_of(genotype)[0]["genotype"]
    assert cells.pop("normal_concat") == cells.pop("reduce_concat") == [2, 3, 4, 5]
    return cells


def test_a_pytorch_module_is_exported_inside(tmp_path):
    torch.manual_seed(1)
    module = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3, padding=1), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(8 * 64, 10))
    cost = ORACLE.evaluate(module, input_shape=(1, 3, 8, 8))
    assert cost.macs == 64 * 27 * 8 + 512 * 10 and module.training
    torch.onnx.export(module.eval(), torch.zeros(1, 3, 8, 8), str(tmp_path / "m.onnx"), opset_version=13)
    assert ORACLE.evaluate(tmp_path / "m.onnx") == cost
    with pytest.raises(bitline.UsageError, match="input_shape"):
        ORACLE.evaluate(module)


def test_a_pytorch_module_is_costed_in_evaluation_mode_and_left_as_it_was():
    parts = (torch.nn.Conv2d(3, 8, 3), torch.nn.BatchNorm2d(8), torch.nn.ReLU(), torch.nn.Dropout(), torch.nn.Flatten(), torch.nn.Linear(8 * 36, 10))
    module = torch.nn.Sequential(*parts)
    parts[1].eval()  # frozen, in a module that is trained
    before = {name: value.clone() for name, value in module.state_dict().items()}
    modes = [part.training for part in module.modules()]
    layers = ORACLE.evaluate(module, input_shape=(1, 3, 8, 8), layers=True).layers
    assert [row["op"] for row in layers] == ["input", "conv", "linear", "output"]  # normalisation folded, no dropout
    assert [part.training for part in module.modules()] == modes and modes[:3] == [True, True, False]
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    with pytest.raises(bitline.NetworkError, match=r"Sequential: PyTorch cannot export it for inputs \(1, 5\)"):
        ORACLE.evaluate(module, input_shape=(1, 5))
    assert [part.training for part in module.modules()] == modes


@pytest.mark.parametrize("network, set, kind, said", [
    (7, {}, bitline.UsageError, "is a int"), ("none.onnx", {}, bitline.NetworkError, "none.onnx"),
    (b"no onnx", {}, bitline.NetworkError, "network"), ({"normal": 1}, {}, bitline.UsageError, "genotype"),
    (cli.CNN, {"chip.tilse": 1}, bitline.ConfigError, "chip.tilse"), (cli.CNN, {"adc.kind": "x"}, bitline.ConfigError, "adc.kind"),
    (cli.CNN, {"chip.tiles": 1, "tile.imas": 1}, bitline.MappingError, "chip.tiles"),
])
def test_errors_have_the_kinds_of_the_exit_codes(network, set, kind, said):
    with pytest.raises(kind, match=said) as caught:
        bitline.CostOracle(cli.ISAAC_8BIT, set=set).evaluate(network)
    assert isinstance(caught.value, bitline.BitlineError) and 2 <= caught.value.code <= 5
    assert pickle.loads(pickle.dumps(caught.value)).problems == caught.value.problems


def test_problems_are_listed():
    with pytest.raises(bitline.ConfigError) as caught:
        bitline.CostOracle(cli.ISAAC_8BIT, set={"chip.tilse": 1, "adc.kind": "x"}).evaluate(cli.CNN)
    assert len(caught.value.problems) == 2 and all(isinstance(p, bitline.Problem) for p in caught.value.problems)


def test_many_are_ordered_and_equal_ones_are_evaluated_once():
    networks = [bitline.Genotype("DARTS_V2", layers=3, channels=4 * (n % 4 + 1)) for n in range(12)] + [cli.CNN]
    costs = ORACLE.evaluate_many(networks)
    assert costs[0] is costs[4] and costs[0] != costs[1]
    assert costs[3] == ORACLE.evaluate(networks[3]) and costs[12] == ORACLE.evaluate(cli.CNN)
    assert ORACLE.evaluate_many([]) == []


def test_an_error_among_many():
    networks = [cli.CNN, "none.onnx", cli.MLP]
    with pytest.raises(bitline.NetworkError):
        ORACLE.evaluate_many(networks)
    costs = ORACLE.evaluate_many(networks, return_errors=True)
    assert isinstance(costs[1], bitline.NetworkError) and costs[0] == ORACLE.evaluate(cli.CNN) and costs[2].macs > 0


def test_a_future():
    with bitline.CostOracle(cli.ISAAC_8BIT) as oracle:
        futures = [oracle.submit(network) for network in (cli.CNN, cli.MLP, "none.onnx")]
        assert futures[0].result() == ORACLE.evaluate(cli.CNN)
        assert isinstance(futures[2].exception(), bitline.NetworkError)
    assert pickle.loads(pickle.dumps(oracle)).evaluate(cli.MLP) == futures[1].result()


def test_what_travels_to_other_processes_pickles():
    for thing in (bitline.Genotype(CELLS, **SMALL), bitline.Workload("vgg8"), ORACLE.evaluate(cli.MLP, layers=True),
                  bitline.Problem("a", "b"), *(kind("said", (bitline.Problem("a", "b"),)) for kind in
                                               (bitline.UsageError, bitline.TimeoutError, bitline.SimulationError))):
        again = pickle.loads(pickle.dumps(thing))
        assert type(again) is type(thing) and (again == thing or (str(again), again.problems) == (str(thing), thing.problems))


def test_trees_are_those_of_the_command_line():
    arch, network = cli.ISAAC_8BIT, cli.MLP
    assert bitline.map(arch, network) == command("map", "--arch", arch, "--network", network)
    sets = {"adc.resolution.policy": "lossless"}
    words = ["--set", "adc.resolution.policy=lossless"]
    assert bitline.slices(arch, network, set=sets) == command("slices", "--arch", arch, "--network", network, *words)
    for mode in ("cycle", "analytic"):
        mine = bitline.simulate(arch, network, mode=mode, batch=2, seed=3, set=sets)
        theirs = command("run", "--quiet", "--mode", mode, "--arch", arch, "--network", network, "--batch", 2, "--seed", 3, *words)
        assert {**mine, "wall_time_s": 0} == {**theirs, "wall_time_s": 0}
    labelled = bitline.simulate(arch, cli.CNN, input=cli.TEST_X, labels=cli.TEST_Y, calibrate=cli.CALIBRATION)
    assert labelled["accuracy"]["top1"] > 0.97
    assert bitline.map(arch, bitline.Genotype(CELLS, **SMALL)) != bitline.map(arch, bitline.Workload("lenet5"))
    assert bitline.map(arch, cli.MLP.read_bytes())["crossbars"] == bitline.map(arch, cli.MLP)["crossbars"]
    with pytest.raises(bitline.NetworkError, match="none.onnx"):
        bitline.map(arch, "none.onnx")
    with pytest.raises(bitline.TimeoutError):
        bitline.simulate(arch, bitline.Workload("vgg8"), timeout=0.05)


def test_a_report_of_a_tree_a_file_or_a_folder(tmp_path):
    tree = bitline.simulate(cli.ISAAC_8BIT, cli.CNN, mode="analytic")
    (tmp_path / "result.json").write_text(json.dumps(tree))
    made = [bitline.report(given, tmp_path / f"{n}.html") for n, given in enumerate([tree, tmp_path, str(tmp_path / "result.json")])]
    cli.succeed("report", tmp_path)
    assert {path.read_bytes() for path in made} == {(tmp_path / "report.html").read_bytes()}
    with pytest.raises(bitline.UsageError, match="no.json: does not exist"):
        bitline.report("no.json", tmp_path / "none.html")
    with pytest.raises(bitline.UsageError, match="latency_s.image: is missing"):
        bitline.report({**tree, "latency_s": {}}, tmp_path / "none.html")
    assert not (tmp_path / "none.html").exists()


def test_layers_as_a_frame():
    tree = bitline.simulate(cli.ISAAC_8BIT, cli.CNN, mode="analytic")
    frame = bitline.layers_frame(tree)
    assert isinstance(frame, pandas.DataFrame) and len(frame) == len(tree["layers"])
    assert np.isclose(frame["energy_j.total"].sum(), tree["energy_j"]["total"], rtol=1e-12)
    assert list(bitline.layers_frame(ORACLE.evaluate(cli.CNN, layers=True))["name"]) == list(frame["name"])


def test_the_types_are_declared():
    package = pathlib.Path(bitline.__file__).parent
    assert (package / "py.typed").exists() and (package / "_core.pyi").exists()
    for name in bitline.__all__:
        thing = getattr(bitline, name)
        assert thing.__doc__ or name in ("__version__", "Network", "Run"), name


def test_the_types_are_strict(tmp_path):
    """mypy --strict, PyTorch left out (its own types take a minute): of bitline.torch run it by hand."""
    pytest.importorskip("mypy")
    (tmp_path / "mypy.ini").write_text("[mypy]\nstrict = True\n" + "".join(
        f"[mypy-{name}.*]\nfollow_imports = skip\nignore_missing_imports = True\n" for name in ("torch", "pandas")))
    files = [file for file in sorted((cli.ROOT / "tools/python/bitline").glob("*.py*")) if file.stem not in ("torch", "py")]
    done = subprocess.run([sys.executable, "-m", "mypy", "--config-file", tmp_path / "mypy.ini", "--cache-dir", tmp_path / "cache", *files],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_memory_stays_flat():
    seeds = iter(range(1, 5000))  # each cost has a place of its own in memory, of which there are 1024
    for _ in range(1200):
        ORACLE.evaluate(cli.MLP, seed=next(seeds))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(2000):
        ORACLE.evaluate(cli.MLP, seed=next(seeds))
        ORACLE.evaluate(cli.MLP)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 4096  # kB


def test_costs_are_kept_on_disk(tmp_path):
    cache = tmp_path / "costs.db"
    genotype = bitline.Genotype(CELLS, **SMALL)
    oracle = bitline.CostOracle(cli.ISAAC_8BIT, cache=cache)
    cost = oracle.evaluate(genotype)
    assert cost == ORACLE.evaluate(genotype) and oracle.evaluate(genotype) == cost
    assert oracle.evaluate(cli.CNN.read_bytes()) == ORACLE.evaluate(cli.CNN) == oracle.evaluate(cli.CNN)
    with sqlite3.connect(cache) as database:
        assert database.execute("SELECT count(*) FROM answers").fetchone() == (2,)
    assert pickle.loads(pickle.dumps(oracle)).evaluate(genotype) == cost
    other = tmp_path / "damaged.db"
    other.write_bytes(b"nothing" * 100)
    with pytest.warns(RuntimeWarning, match="damaged"):
        assert bitline.CostOracle(cli.ISAAC_8BIT, cache=other).evaluate(genotype) == cost
    with pytest.raises(bitline.UsageError, match="cannot be written"):
        bitline.CostOracle(cli.ISAAC_8BIT, cache=tmp_path / "none" / "costs.db").evaluate(genotype)
