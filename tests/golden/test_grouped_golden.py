# SPDX-License-Identifier: Apache-2.0
"""A network with grouped convolutions, mapped packed, dense and digital."""

import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

import golden_layer

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
import tiny_onnx  # noqa: E402

BITLINE = os.environ["BITLINE"]
ARCH = HERE.parents[1] / "configs" / "isaac-8bit.yaml"
LOSSLESS = ["adc.resolution.policy=lossless"]
CLIPPING = ["adc.resolution.policy=fixed", "adc.resolution.bits=4"]
# Layers of the network: groups, channels per group, outputs per group (kernels are 3x3, 1x1 and 3x3).
DEPTHWISE, POINTWISE, GROUPED = "depthwise", "pointwise", "grouped"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A depthwise-separable convolution and one of 4 groups; images of either sign."""
    folder = tmp_path_factory.mktemp("grouped")
    nodes = [tiny_onnx.conv(DEPTHWISE, "x", "wd", group=16), tiny_onnx.node("Relu", "relu", [f"{DEPTHWISE}_out"]),
             tiny_onnx.conv(POINTWISE, "relu_out", "wp", kernel_shape=[1, 1], pads=[0, 0, 0, 0]),
             tiny_onnx.conv(GROUPED, f"{POINTWISE}_out", "wg", "y", group=4, strides=[2, 2])]
    weights = [tiny_onnx.weights("wd", 16, 1, 3, 3, seed=1), tiny_onnx.weights("wp", 24, 16, 1, 1, seed=2),
               tiny_onnx.weights("wg", 8, 6, 3, 3, seed=3)]
    model = tiny_onnx.model(nodes, {"x": ["N", 16, 6, 6]}, {"y": ["N", 8, 3, 3]}, weights)
    tiny_onnx.save(folder / "net.onnx", model)
    np.save(folder / "x.npy", np.random.default_rng(4).normal(size=(2, 16, 6, 6)).astype(np.float32))
    return folder


def run(files, folder, depthwise, settings):
    """The result and the network's output."""
    sets = [f"--set={s}" for s in [f"mapping.depthwise={depthwise}", *settings]]
    subprocess.run([BITLINE, "run", "--arch", ARCH, "--network", files / "net.onnx", "--input", files / "x.npy", "--quiet",
                    "--out", folder, "--dump-layers", folder, "--dump-outputs", folder, *sets],
                   check=True, stdout=subprocess.DEVNULL)
    return json.loads((folder / "result.json").read_text()), np.load(folder / "y.npy")


@pytest.fixture(scope="module")
def lossless(files, tmp_path_factory):
    """{mapping: (folder, result, output)}"""
    runs = {}
    for mapping in ("packed", "dense", "digital"):
        folder = tmp_path_factory.mktemp(mapping)
        runs[mapping] = (folder, *run(files, folder, mapping, LOSSLESS))
    return runs


def test_packed_and_dense_are_the_same_function(lossless):
    packed, dense = lossless["packed"], lossless["dense"]
    assert np.array_equal(packed[2], dense[2])
    for name in (DEPTHWISE, POINTWISE, GROUPED):
        for kind in "xy":
            assert np.array_equal(np.load(packed[0] / f"{name}.{kind}.npy"), np.load(dense[0] / f"{name}.{kind}.npy"))
    # The dense weights are the packed ones on the diagonal and zeros beside it.
    for name, groups in ((DEPTHWISE, 16), (GROUPED, 4)):
        narrow, wide = (np.load(run[0] / f"{name}.w.npy") for run in (packed, dense))
        outputs, channels = len(narrow) // groups, narrow.shape[1]
        for o, weights in enumerate(wide):
            own = slice(o // outputs * channels, o // outputs * channels + channels)
            assert np.array_equal(weights[own], narrow[o])
            assert not np.delete(weights, np.arange(len(weights))[own], axis=0).any()


@pytest.mark.parametrize("mapping", ["packed", "dense", "digital"])
@pytest.mark.parametrize("settings", [LOSSLESS, CLIPPING], ids=["lossless", "clipping"])
def test_sums_equal_the_slow_computation(files, tmp_path, mapping, settings):
    result, _ = run(files, tmp_path, mapping, settings)
    entries = golden_layer.check_folder(tmp_path)
    assert [e["name"] for e in entries] == ([POINTWISE] if mapping == "digital" else [DEPTHWISE, POINTWISE, GROUPED])
    assert all(e["group"] == 1 for e in entries) or mapping == "packed"
    assert (result["adc"]["clipped"] > 0) == (settings is CLIPPING)


def test_crossbars_are_those_counted_by_hand(lossless):
    """128 x 128 crossbars, 4 slices of 8-bit weights side by side: 32 outputs each."""
    # depthwise packed: 9 rows and 1 output a group: 14 groups by rows (128 / 9), so 2 crossbars for 16;
    # grouped packed: 54 rows and 2 outputs a group: 2 groups by rows, so 2 crossbars for 4.
    # dense: 144 rows (2 bands) x 16 outputs; 216 rows (2 bands) x 8 outputs.
    expected = {"packed": {DEPTHWISE: 2, POINTWISE: 1, GROUPED: 2}, "dense": {DEPTHWISE: 2, POINTWISE: 1, GROUPED: 2},
                "digital": {DEPTHWISE: 0, POINTWISE: 1, GROUPED: 0}}
    for mapping, (_, result, _) in lossless.items():
        used = {layer["name"]: layer["crossbars"] for layer in result["layers"] if layer["name"] in expected[mapping]}
        assert used == expected[mapping]
        assert result["crossbars"]["grouped"] == {"mapping": mapping, "layers": 2, "packed": 4, "dense": 4, "digital": 0}


def test_work_is_the_same_and_costs_differ(lossless):
    """2 x MACs of an image: zeros are no work. Digital convolutions take the element-wise unit, and no conversions."""
    macs = 16 * 36 * 9 + 24 * 36 * 16 + 8 * 9 * 54
    results = {mapping: result for mapping, (_, result, _) in lossless.items()}
    for result in results.values():
        assert result["tops"] == pytest.approx(2e-12 * macs * result["throughput_ips"], rel=1e-12)
    # Every output converts its four slices for each of the 8 input bits; with rows of all groups in two blocks, twice.
    per_layer = {mapping: {layer["name"]: sum(s["conversions"] for s in layer["slices"]) for layer in result["layers"]}
                 for mapping, result in results.items()}
    assert per_layer["packed"][DEPTHWISE] <= 36 * 16 * 4 * 8 < per_layer["dense"][DEPTHWISE] <= 2 * 36 * 16 * 4 * 8
    assert per_layer["digital"][DEPTHWISE] == 0
    assert results["packed"]["energy_j"]["total"] != results["dense"]["energy_j"]["total"]


def test_digital_convolutions_are_the_float_ones(files, lossless, tmp_path):
    """The first layer of the digital run is exact: the second one's integer inputs are the float values' codes."""
    folder, _, _ = lossless["digital"]
    x, w = np.load(files / "x.npy").astype(np.float64), tiny_onnx.numpy_helper.to_array(tiny_onnx.weights("wd", 16, 1, 3, 3, seed=1))
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    y = sum(padded[:, :, i:i + 6, j:j + 6] * w[:, 0, i, j][:, None, None] for i in range(3) for j in range(3))
    entry = json.loads((folder / "layers.json").read_text())[0]
    codes = np.clip(np.rint(np.maximum(y, 0) / entry["activation_scale"]), 0, 255)
    assert np.abs(codes - np.load(folder / f"{POINTWISE}.x.npy")).mean() < 1e-3
