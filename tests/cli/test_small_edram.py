# SPDX-License-Identifier: Apache-2.0
"""Networks whose buffers do not fit one tile's eDRAM: stages run in parts, and everything arrives."""

import json

import numpy as np
import pytest
from cli import ISAAC_8BIT, succeed
from onnx import helper
from tiny_onnx import model, node, save, tensor, weights

HEADS, TOKENS, DEPTH = 3, 10, 8
WIDTH = HEADS * DEPTH


def attention():
    """Self-attention as PyTorch writes it: heads as a batch, transposes, a softmax, layer norm in primitives."""
    split = tensor("split", [TOKENS, HEADS, DEPTH], np.int64)
    nodes = [node("Reshape", "rows", ["x", "whole"])]
    for name in "qkv":
        nodes += [node("MatMul", name, ["rows_out", f"w{name}"]), node("Reshape", f"{name}_heads", [f"{name}_out", "split"]),
                  node("Transpose", f"{name}_t", [f"{name}_heads_out"], perm=[1, 2, 0] if name == "k" else [1, 0, 2])]
    nodes += [node("MatMul", "scores", ["q_t_out", "k_t_out"]), node("Softmax", "softmax", ["scores_out"], axis=2),
              node("MatMul", "values", ["softmax_out", "v_t_out"]),
              node("Transpose", "back", ["values_out"], perm=[1, 0, 2]),
              node("Reshape", "joined", ["back_out", "whole"]), node("MatMul", "out", ["joined_out", "wo"]),
              node("Add", "skip", ["out_out", "rows_out"]), node("ReduceMean", "mean", ["skip_out"], axes=[1]),
              node("Sub", "centred", ["skip_out", "mean_out"]), node("Unsqueeze", "one", ["centred_out", "first"], ["y"])]
    matrices = [weights(f"w{n}", WIDTH, WIDTH, seed=i) for i, n in enumerate("qkvo")]
    return model(nodes, {"x": [1, TOKENS, WIDTH]}, {"y": [1, TOKENS, WIDTH]},
                 [split, tensor("first", [0], np.int64), tensor("whole", [TOKENS, WIDTH], np.int64), *matrices])


def squeeze_excite():
    """A convolution whose output waits, whole, for a factor computed from all of it; a crop and a concatenation."""
    nodes = [node("Conv", "stem", ["x", "w1"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
             node("GlobalAveragePool", "squeeze", ["stem_out"]), node("Conv", "excite", ["squeeze_out", "w2"]),
             node("Sigmoid", "gate", ["excite_out"]), node("Mul", "scale", ["stem_out", "gate_out"]),
             node("Concat", "both", ["scale_out", "stem_out"], axis=1),
             node("MaxPool", "pool", ["both_out"], ["y"], kernel_shape=[2, 2], strides=[2, 2])]
    return model(nodes, {"x": [1, 3, 12, 12]}, {"y": [1, 32, 6, 6]},
                 [weights("w1", 16, 3, 3, 3), weights("w2", 16, 16, 1, 1)])


def run(folder, name, network, capacity):
    out = folder / f"{name}-{capacity}"
    path = save(folder / f"{name}.onnx", network)
    succeed("run", "--arch", ISAAC_8BIT, "--network", path, "--set", f"tile.edram.capacity={capacity}", "--out", out,
            "--dump-outputs", out, "--batch", 2)
    return json.loads((out / "result.json").read_text()), np.load(out / "y.npy")


@pytest.mark.parametrize(("name", "network", "capacity"), [("attention", attention, "512 B"),
                                                           ("squeeze_excite", squeeze_excite, "2 KiB")])
def test_the_same_values_from_more_tiles(tmp_path, name, network, capacity):
    large, values = run(tmp_path, name, network(), "64 KiB")
    small, others = run(tmp_path, name, network(), capacity)
    assert np.array_equal(values, others)
    assert small["macs"] == large["macs"]
    assert small["adc"] == large["adc"]
    # More tiles exchange what one tile held: more flits, the same work of the digital units.
    assert small["energy_j"]["by_component"]["router"] > large["energy_j"]["by_component"]["router"]
    for unit in ("activation", "pooling", "elementwise", "requantise"):
        assert small["energy_j"]["by_component"][unit] == pytest.approx(large["energy_j"]["by_component"][unit])


def test_the_report_says_how_much_of_attention_is_digital(tmp_path):
    path = save(tmp_path / "attention.onnx", attention())
    text = succeed("run", "--arch", ISAAC_8BIT, "--network", path, "--out", tmp_path / "out").out
    macs = json.loads((tmp_path / "out" / "result.json").read_text())["macs"]
    # Four square projections; scores and values of each head.
    assert macs == {"crossbars": 4 * TOKENS * WIDTH * WIDTH, "digital": 2 * HEADS * TOKENS * TOKENS * DEPTH}
    assert "23 040 an image on crossbars, 4 800 (17.2 %) on digital units" in text


def test_attention_is_what_numpy_computes(tmp_path):
    path = save(tmp_path / "attention.onnx", attention())
    x = np.random.default_rng(7).standard_normal((TOKENS, WIDTH)).astype(np.float32)
    np.save(tmp_path / "x.npy", x[None])
    succeed("infer", "--network", path, "--input", tmp_path / "x.npy", "--dump-outputs", tmp_path)
    w = {t.name: np.frombuffer(t.raw_data, np.float32).reshape(t.dims) for t in attention().graph.initializer
         if t.data_type == helper.TensorProto.FLOAT}
    q, k, v = (np.moveaxis((x @ w[f"w{n}"]).reshape(TOKENS, HEADS, DEPTH), 1, 0) for n in "qkv")
    scores = np.exp(q @ k.transpose(0, 2, 1))
    joined = (scores / scores.sum(-1, keepdims=True) @ v).transpose(1, 0, 2).reshape(TOKENS, WIDTH)
    y = joined @ w["wo"] + x
    assert np.allclose(np.load(tmp_path / "y.npy")[0], y - y.mean(1, keepdims=True), rtol=1e-4, atol=1e-4)
