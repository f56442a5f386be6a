# SPDX-License-Identifier: Apache-2.0
"""Values: the float reference against PyTorch, and dumped integers against plain integer arithmetic."""

import json

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper

import cli
import onnx_torch


@pytest.mark.parametrize("network", [cli.CNN, cli.MLP], ids=lambda p: p.stem)
def test_infer_equals_torch(tmp_path, network):
    cli.succeed("infer", "--network", network, "--input", cli.TEST_X, "--dump-outputs", tmp_path)
    expected = onnx_torch.infer(network, np.load(cli.TEST_X))
    np.testing.assert_allclose(np.load(tmp_path / "logits.npy"), expected, rtol=1e-4, atol=1e-4)


def test_infer_prints_the_accuracy():
    expected = (onnx_torch.infer(cli.CNN, np.load(cli.TEST_X)).argmax(1) == np.load(cli.TEST_Y)).mean()
    out = cli.succeed("infer", "--network", cli.CNN, "--input", cli.TEST_X, "--labels", cli.TEST_Y).out
    assert f"{100 * expected:.2f}" in out


@pytest.fixture(scope="module")
def dump(tmp_path_factory):
    """Dumped layers of 20 digits on the 8-bit machine with converters that never clip."""
    folder = tmp_path_factory.mktemp("dump")
    np.save(folder / "x.npy", np.load(cli.TEST_X)[:20])
    cli.succeed("run", "--arch", cli.ISAAC_8BIT, "--set", "adc.resolution.policy=lossless", "--network", cli.CNN,
                "--input", folder / "x.npy", "--calibrate", cli.CALIBRATION, "--dump-layers", folder)
    return folder


def layers_of(folder):
    return json.loads((folder / "layers.json").read_text())


def arrays(folder, layer):
    return [np.load(folder / f"{layer['name']}.{kind}.npy") for kind in "xwy"]


def test_every_crossbar_layer_is_dumped(dump):
    expected = [n.name for n in onnx.load(str(cli.CNN)).graph.node if n.op_type in ("Conv", "Gemm")]
    assert [layer["node"] for layer in layers_of(dump)] == expected
    for layer in layers_of(dump):
        x, w, y = arrays(dump, layer)
        assert len(x) == len(y) == 20
        for array in (x, w, y):
            assert array.dtype in (np.int32, np.int64)
        limit = 2 ** (layer["weight_bits"] - 1) - 1
        assert np.abs(w).max() == limit
        assert x.min() >= 0 and x.max() <= 2 ** layer["activation_bits"] - 1


def test_integers_equal_the_plain_integer_convolution(dump):
    for layer in layers_of(dump):
        x, w, y = (torch.from_numpy(a.astype(np.float64)) for a in arrays(dump, layer))
        if layer["op"] == "conv":
            top, left, bottom, right = layer["pads"]
            padded = torch.nn.functional.pad(x, (left, right, top, bottom))
            expected = torch.nn.functional.conv2d(padded, w, None, layer["strides"], 0, layer["dilations"],
                                                  layer["group"])
        else:
            expected = x.reshape(20, -1) @ w.t()
        assert torch.equal(y.reshape(expected.shape), expected), layer["name"]


def test_weights_are_the_rounded_weights_of_the_file_with_batch_normalization_folded(dump):
    values = {i.name: numpy_helper.to_array(i).astype(np.float64)
              for i in onnx.load(str(cli.CNN)).graph.initializer}
    for layer in layers_of(dump):
        w = values[f"{layer['node']}.weight"]
        if layer["node"].startswith("conv"):
            bn = layer["node"].replace("conv", "bn")
            factor = values[f"{bn}.weight"] / np.sqrt(values[f"{bn}.running_var"] + 1e-5)
            w = w * factor.reshape(-1, 1, 1, 1)
        channels = w.reshape(len(w), -1)
        scale = np.abs(channels).max(1) / 127
        np.testing.assert_allclose(layer["weight_scale"], scale, rtol=1e-5)
        # Folding in float32 may move a weight across a rounding boundary by one step, hardly ever.
        difference = np.abs(np.rint(channels / scale[:, None]) - arrays(dump, layer)[1].reshape(channels.shape))
        assert difference.max() <= 1 and (difference > 0).mean() < 0.001


def test_the_first_input_is_the_image_on_the_calibrated_scale(dump):
    layer = layers_of(dump)[0]
    images, calibration = np.load(dump / "x.npy"), np.load(cli.CALIBRATION)
    assert not layer["activation_signed"]
    np.testing.assert_allclose(layer["activation_scale"], calibration.max() / 255, rtol=1e-6)
    expected = np.clip(np.rint(images.astype(np.float64) / layer["activation_scale"]), 0, 255)
    np.testing.assert_array_equal(arrays(dump, layer)[0], expected)
