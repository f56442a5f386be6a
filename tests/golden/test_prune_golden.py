# SPDX-License-Identifier: Apache-2.0
"""mapping.prune: outputs bit for bit the same where nothing clips, crossbars never more, counts by hand, layer sums in NumPy."""

import json

import numpy as np
import pytest

import cli
import golden_layer
import pruned_onnx
import tiny_onnx

LOSSLESS = ["adc.resolution.policy=lossless", "ima.output_register.capacity=8 KiB"]
# Crossbars so small that a few rows and columns fewer are crossbars fewer.
SMALL = ["crossbar.rows=16", "crossbar.active_rows=16", "crossbar.cols=16", "tile.edram.capacity=1 MiB"]
MODES = ["none", "rows_cols", "paths"]
ENCODINGS = [[], ["encoding.flip=false"], ["encoding.weights=differential", "encoding.flip=false"],
             ["encoding.weights=centre_offset", "encoding.subtraction=analog", "encoding.flip=false"],
             ["encoding.weights=twos_complement"], ["slices.placement=separate"], ["dac.bits=2", "device.bits_per_cell=3"]]


def images(folder, count=3):
    np.save(folder / "x.npy", np.load(cli.TEST_X)[:count])
    return folder / "x.npy"


def run(folder, network, prune, *settings, options=()):
    sets = [f"--set={s}" for s in (*LOSSLESS, *SMALL, *settings, f"mapping.prune={prune}")]
    answer = cli.succeed("run", "--arch", cli.ISAAC_8BIT, "--network", network, "--input", images(folder), "--dump-outputs",
                         folder / "y", "--dump-layers", folder / "layers", "--json", "--quiet", *options, *sets)
    return np.load(folder / "y" / "y.npy"), json.loads(answer.out)


def crossbars(result):
    return {layer["name"]: layer["crossbars"] for layer in result["layers"] if layer["slices"]}


@pytest.mark.parametrize("seed", range(28))
def test_random_pruned_networks(tmp_path, seed):
    network = tiny_onnx.save(tmp_path / "net.onnx", pruned_onnx.network(seed))
    settings = ENCODINGS[seed % len(ENCODINGS)]
    before, whole = run(tmp_path, network, "none", *settings)
    counts = crossbars(whole)
    for mode in ("rows_cols", "paths"):
        after, result = run(tmp_path, network, mode, *settings)
        assert before.tobytes() == after.tobytes(), mode
        now = crossbars(result)
        assert now.keys() == counts.keys() and all(now[name] <= counts[name] for name in now)
        counts = now
        golden_layer.check_folder(tmp_path / "layers")
    assert sum(counts.values()) < sum(crossbars(whole).values())


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("mode", ["rows_cols", "paths"])
def test_every_part_live(tmp_path, seed, mode):
    """The structural simulation compares itself with the engine."""
    network = tiny_onnx.save(tmp_path / "net.onnx", pruned_onnx.network(seed))
    live, _ = run(tmp_path, network, mode, "precision.activations.bits=4", options=["--mode", "structural"])
    values, _ = run(tmp_path, network, mode, "precision.activations.bits=4")
    assert live.tobytes() == values.tobytes()


def two_convs(zero_filters=(), unread=(), bias=None, kernel=3, pads=1):
    """Eight filters of 3x3 before eight that read them."""
    random = np.random.default_rng(7)
    first = random.uniform(0.5, 1, (8, 1, 3, 3))
    first[list(zero_filters)] = 0
    second = random.uniform(0.5, 1, (8, 8, kernel, kernel))
    second[:, list(unread)] = 0
    return pruned_onnx.chain(first, np.zeros(8) if bias is None else bias, second, pads)


def layers_of(tmp_path, model, mode, *settings):
    network = tiny_onnx.save(tmp_path / "net.onnx", model)
    _, result = run(tmp_path, network, mode, *settings)
    entries = golden_layer.check_folder(tmp_path / "layers")
    rows = {layer["name"]: (layer["rows"], layer["cols"]) for layer in result["layers"] if layer["slices"]}
    return rows, {e["name"]: e for e in entries}, result


def test_an_empty_filter_makes_its_channel_unused(tmp_path):
    rows, _, _ = layers_of(tmp_path, two_convs(zero_filters=[2, 5, 6]), "rows_cols")
    assert rows == {"conv1": (9, 5), "conv2": (72, 8)}
    rows, entries, result = layers_of(tmp_path, two_convs(zero_filters=[2, 5, 6]), "paths")
    assert rows == {"conv1": (9, 5), "conv2": (45, 8)} and entries["conv2"]["folded"] == []
    # Four outputs of four slices on 16 columns; 9, 72 and 45 rows in bands of 16.
    assert crossbars(result) == {"conv1": 2, "conv2": 3 * 2}
    assert [layer["pruned"]["crossbars_before"] for layer in result["layers"] if layer["slices"]] == [2, 5 * 2]


def test_an_unused_channel_empties_its_filter(tmp_path):
    rows, _, _ = layers_of(tmp_path, two_convs(unread=[0, 1]), "rows_cols")
    assert rows == {"conv1": (9, 8), "conv2": (54, 8)}
    rows, _, _ = layers_of(tmp_path, two_convs(unread=[0, 1]), "paths")
    assert rows == {"conv1": (9, 6), "conv2": (54, 8)}


def test_a_constant_is_folded_where_every_window_gets_the_same(tmp_path):
    bias = np.array([0, 0, 0.7, 0, 0, -0.3, 0, 0])
    # Without padding both channels go: one with a constant, one that the ReLU makes zero.
    rows, entries, _ = layers_of(tmp_path, two_convs([2, 5], bias=bias, kernel=1, pads=0), "paths")
    assert rows == {"conv1": (9, 6), "conv2": (6, 8)}
    assert len(entries["conv2"]["folded"]) == 8 and all(sum > 0 for sum in entries["conv2"]["folded"])
    # With padding the constant is not the same at the border: that channel stays, its column is empty.
    rows, entries, _ = layers_of(tmp_path, two_convs([2, 5], bias=bias), "paths")
    assert rows == {"conv1": (9, 6), "conv2": (63, 8)} and entries["conv2"]["folded"] == []


def test_a_chain_of_removals_to_its_end(tmp_path):
    """An output that reads one channel only, which is empty, and the filter that only this output read."""
    first = np.full((3, 1, 3, 3), 0.5)
    first[0] = 0
    second = np.zeros((3, 3, 3, 3))
    second[0, 0] = 1                      # reads the empty filter: constant
    second[1, 1] = 1
    rows, _, _ = layers_of(tmp_path, pruned_onnx.chain(first, np.zeros(3), second), "paths")
    assert rows == {"conv1": (9, 1), "conv2": (9, 1)}       # filter 2 is read by none


def test_unstructured_zeros_save_nothing(tmp_path):
    """Weights that are zero here and there leave no row and no column: as many crossbars as before."""
    random = np.random.default_rng(3)
    first = random.uniform(0.1, 1, (8, 1, 3, 3)) * (random.random((8, 1, 3, 3)) < 0.5)
    second = random.uniform(0.1, 1, (8, 8, 3, 3)) * (random.random((8, 8, 3, 3)) < 0.5)
    _, _, result = layers_of(tmp_path, pruned_onnx.chain(first, np.zeros(8), second), "paths")
    sparse = [layer for layer in result["layers"] if layer["slices"]]
    assert all(0.3 < layer["zero_weights"] < 0.7 for layer in sparse)
    assert all(layer["crossbars"] == layer["pruned"]["crossbars_before"] for layer in sparse)


def test_nearly_empty_rows_and_columns(tmp_path):
    second = np.random.default_rng(1).uniform(0.5, 1, (8, 8, 3, 3))
    second[:, 3] = 0
    second[0, 3, 1, 1] = 1                # one row with one weight of eight
    second[4] = 0
    second[4, 0, 0, 0] = 1                # one column with one weight of 64 rows
    model = pruned_onnx.chain(np.full((8, 1, 3, 3), 0.5), np.zeros(8), second)
    _, _, result = layers_of(tmp_path, model, "paths", "mapping.nearly_empty=13")
    few = next(layer for layer in result["layers"] if layer["name"] == "conv2")["pruned"]["nearly_empty"]
    assert few == {"rows": 1, "columns": 1, "weights": 2, "crossbars_without": 4 * 2}       # 63 rows, 7 outputs
    _, _, result = layers_of(tmp_path, model, "paths", "mapping.nearly_empty=1")
    few = next(layer for layer in result["layers"] if layer["name"] == "conv2")["pruned"]["nearly_empty"]
    assert few["rows"] == few["columns"] == few["weights"] == 0


def test_shared_weights_and_given_grids_stay_right(tmp_path):
    """The quantised copy of a pruned network, whose grids the file gives."""
    network = tiny_onnx.save(tmp_path / "net.onnx", pruned_onnx.network(5))
    cli.succeed("quantize", network, "--calibrate", images(tmp_path), "--out", tmp_path / "q.onnx")
    outputs = [run(tmp_path, tmp_path / "q.onnx", mode)[0].tobytes() for mode in MODES]
    assert outputs[0] == outputs[1] == outputs[2]


def test_map_shows_what_zeros_save(tmp_path):
    network = tiny_onnx.save(tmp_path / "net.onnx", two_convs(zero_filters=[2, 5, 6]))
    sets = [f"--set={s}" for s in SMALL]
    shown = cli.succeed("map", "--arch", cli.ISAAC_8BIT, "--network", network, *sets, "--set", "mapping.prune=paths").out
    assert "mapping.prune: paths" in shown and max(map(len, shown.splitlines())) <= 80
    tree = json.loads(cli.succeed("map", "--arch", cli.ISAAC_8BIT, "--network", network, *sets, "--set", "mapping.prune=paths",
                                  "--json").out)
    assert [layer["zero_weights"] for layer in tree["layers"]] == [3 / 8, 0]
    assert [layer["pruned"]["rows_before"] for layer in tree["layers"]] == [9, 72]
    assert all("pruned" not in layer for layer in json.loads(
        cli.succeed("map", "--arch", cli.ISAAC_8BIT, "--network", network, *sets, "--json").out)["layers"])
