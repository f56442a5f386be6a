# SPDX-License-Identifier: Apache-2.0
"""Recurrent networks exported by PyTorch: its outputs in float, one set of crossbars for all steps, and layer sums that
equal the slow NumPy computation, in both modes."""

import json
import os
import pathlib
import subprocess
import warnings

import numpy as np
import pytest
import torch

import golden_layer

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BITLINE = os.environ["BITLINE"]
STEPS, INPUTS, HIDDEN, CLASSES = 6, 5, 8, 3


class Classifier(torch.nn.Module):
    """The last state of a recurrent layer, classified."""

    def __init__(self, cell, **options):
        super().__init__()
        torch.manual_seed(1)
        self.cell = cell(INPUTS, HIDDEN, batch_first=True, **options)
        self.head = torch.nn.Linear(HIDDEN * (2 if options.get("bidirectional") else 1), CLASSES)

    def forward(self, x):
        return self.head(self.cell(x)[0][:, -1])


CASES = {
    "lstm": (torch.nn.LSTM, {}),
    "lstm-bidirectional": (torch.nn.LSTM, {"bidirectional": True}),
    "lstm-two-layers": (torch.nn.LSTM, {"num_layers": 2}),
    "gru": (torch.nn.GRU, {}),
    "rnn": (torch.nn.RNN, {}),
}


@pytest.fixture(params=CASES, ids=list(CASES))
def network(request, tmp_path):
    cell, options = CASES[request.param]
    module = Classifier(cell, **options).eval()
    x = torch.randn(3, STEPS, INPUTS, generator=torch.Generator().manual_seed(2))
    with warnings.catch_warnings():  # tracing tells that lengths become constants
        warnings.simplefilter("ignore")
        torch.onnx.export(module, x[:1], str(tmp_path / "net.onnx"), input_names=["x"], output_names=["y"],
                          opset_version=14)
    np.save(tmp_path / "x.npy", x.numpy())
    with torch.no_grad():
        return request.param, tmp_path, module(x).numpy()


def bitline(*arguments):
    done = subprocess.run([BITLINE, *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_reference_agrees_with_pytorch(network):
    _, folder, expected = network
    bitline("infer", "--network", folder / "net.onnx", "--input", folder / "x.npy", "--dump-outputs", folder)
    found = np.load(folder / "y.npy")
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= 1e-5 * np.abs(expected).max()


def run(folder, *arguments):
    text = bitline("run", "--arch", SOURCE / "configs" / "isaac-8bit.yaml", "--network", folder / "net.onnx", "--input",
                   folder / "x.npy", "--batch", 3, "--json", *arguments)
    return json.loads(text)


def test_steps_take_turns_on_one_set_of_crossbars(network):
    name, folder, expected = network
    timed = run(folder, "--dump-layers", folder / "layers", "--dump-outputs", folder)
    structural = run(folder, "--mode", "structural")
    for key in ("latency_s", "cycles", "energy_j", "crossbars"):
        assert timed[key] == structural[key], key
    products = [layer for layer in timed["layers"] if layer["op"] == "linear"]
    with_state = [layer for layer in products if layer["name"].endswith("/R")]
    cells = {"lstm-bidirectional": 2, "lstm-two-layers": 2}.get(name, 1)
    # The product with the first state, zero, is none.
    assert len(with_state) == cells * (STEPS - 1)
    assert sum(layer["crossbars"] > 0 for layer in with_state) == cells
    assert timed["crossbars"]["used"] == sum(layer["crossbars"] for layer in products)
    # Only one step is on them at a time.
    assert golden_layer.check_folder(folder / "layers")
    found = np.load(folder / "y.npy")
    assert np.abs(found - expected).max() <= 0.05 * np.abs(expected).max()
