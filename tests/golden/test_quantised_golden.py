# SPDX-License-Identifier: Apache-2.0
"""Models quantised by ONNX Runtime (quantised/make.py): a lossless chip gives that runtime's outputs."""

import json
import os
import pathlib
import subprocess

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parents[1]
BITLINE = os.environ["BITLINE"]
IMAGES = SOURCE / "workloads" / "digits-test-x.npy"
MODELS = ["qdq-tensor", "qdq-channel", "qdq-channel-signed", "qlinear-tensor", "qlinear-channel"]
LOSSLESS = ["--arch", SOURCE / "configs" / "isaac-8bit.yaml", "--set", "adc.resolution.policy=lossless"]


def run(command, model, *arguments):
    subprocess.run([BITLINE, command, "--network", HERE / "quantised" / f"{model}.onnx", *arguments], check=True,
                   stdout=subprocess.DEVNULL)


def constants(model):
    graph = onnx.load(str(HERE / "quantised" / f"{model}.onnx")).graph
    return graph, {i.name: numpy_helper.to_array(i) for i in graph.initializer}


def steps_apart(outputs, model):
    """Outputs less the runtime's, in steps of the scale on which the model's last node puts them."""
    graph, values = constants(model)
    last = [n for n in graph.node if n.op_type == "DequantizeLinear"][-1]
    assert last.output[0] == graph.output[0].name
    expected = np.load(HERE / "quantised" / f"{model}.npy")
    assert outputs.shape == expected.shape == (360, 10)
    steps = (outputs.astype(np.float64) - expected) / values[last.input[1]]
    assert np.abs(steps - np.rint(steps)).max() < 1e-3
    return np.abs(np.rint(steps)).astype(int)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("command, machine", [("run", LOSSLESS), ("infer", [])], ids=["chip", "reference"])
def test_outputs_are_the_runtimes(model, command, machine, tmp_path):
    run(command, model, *machine, "--input", IMAGES, "--dump-outputs", tmp_path)
    apart = steps_apart(np.load(tmp_path / "logits.npy"), model)
    print(f"{model}: {(apart > 0).sum()} of {apart.size} outputs differ, the most by {apart.max()} steps")
    assert apart.max() <= 1
    assert (apart > 0).sum() <= apart.size // 1000


@pytest.mark.parametrize("model", ["bitline-8bit", "bitline-mixed"])
def test_a_runtime_computes_what_bitline_wrote(model, tmp_path):
    """Models by `bitline quantize`. Their last layer is not rounded, so that a tie within the network shows in the outputs."""
    run("run", model, *LOSSLESS, "--set", "ima.output_register.capacity=4 KiB", "--input", IMAGES, "--dump-outputs", tmp_path)
    outputs, expected = np.load(tmp_path / "logits.npy"), np.load(HERE / "quantised" / f"{model}.npy")
    apart = np.abs(outputs - expected) / np.abs(expected).max()
    print(f"{model}: {(apart > 1e-5).sum()} of {apart.size} outputs differ, the most by {apart.max():.2%} of the largest")
    assert np.array_equal(outputs.argmax(1), expected.argmax(1))
    assert (apart > 1e-5).mean() < 0.06 and apart.max() < 0.015


def weights_of(node, graph, values):
    """Integer weights and their scale of a Conv or Gemm between DequantizeLinear nodes, or of a QLinear node."""
    if node.op_type in ("QLinearConv", "QGemm"):
        return values[node.input[3]], values[node.input[4]]
    source = next(n for n in graph.node if n.output[0] == node.input[1])
    return values[source.input[0]], values[source.input[1]]


@pytest.mark.parametrize("model", MODELS)
def test_crossbars_hold_the_weights_of_the_file(model, tmp_path):
    np.save(tmp_path / "x.npy", np.load(IMAGES)[:1])
    run("run", model, *LOSSLESS, "--input", tmp_path / "x.npy", "--dump-layers", tmp_path)
    graph, values = constants(model)
    nodes = [n for n in graph.node if n.op_type in ("Conv", "Gemm", "QLinearConv", "QGemm")]
    layers = json.loads((tmp_path / "layers.json").read_text())
    assert len(layers) == len(nodes) == 7
    for layer, node in zip(layers, nodes):
        codes, scale = weights_of(node, graph, values)
        assert np.array_equal(np.load(tmp_path / f"{layer['name']}.w.npy"), codes)
        assert np.array_equal(np.float32(layer["weight_scale"]), np.broadcast_to(scale, len(codes)))
        assert (layer["weight_bits"], layer["activation_bits"]) == (8, 8)
        assert layer["activation_signed"] == ("signed" in model)


@pytest.mark.parametrize("model", ["qdq-channel-signed", "qlinear-tensor"])
def test_structural_run_agrees(model, tmp_path):
    np.save(tmp_path / "x.npy", np.load(IMAGES)[:1])
    run("run", model, *LOSSLESS, "--input", tmp_path / "x.npy", "--mode", "structural")
