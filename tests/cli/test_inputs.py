# SPDX-License-Identifier: Apache-2.0
"""Networks of several inputs and outputs, and symbolic dimensions."""

import json

import numpy as np
import pytest

import cli
from tiny_onnx import model, node, save, weights


@pytest.fixture
def network(tmp_path):
    """y = (a + b) w, z = a - b of [N, T, 4] arrays."""
    proto = model([node("Add", "sum", ["a", "b"], ["s"]), node("MatMul", "product", ["s", "w"], ["y"]),
                   node("Sub", "difference", ["a", "b"], ["z"])],
                  {"a": ["N", "T", 4], "b": ["N", "T", 4]}, {"y": ["N", "T", 3], "z": ["N", "T", 4]}, [weights("w", 4, 3)])
    random = np.random.default_rng(1)
    for name in "ab":
        np.save(tmp_path / f"{name}.npy", random.random((2, 5, 4), dtype=np.float32))
    return save(tmp_path / "two.onnx", proto)


def arrays(folder):
    return np.load(folder / "a.npy"), np.load(folder / "b.npy")


def test_each_input_by_name_and_every_output(tmp_path, network):
    named = ["--input", f"b={tmp_path / 'b.npy'}", "--input", f"a={tmp_path / 'a.npy'}"]
    cli.succeed("infer", "--network", network, "--dim", "T=5", *named, "--dump-outputs", tmp_path / "out")
    a, b = arrays(tmp_path)
    np.testing.assert_array_equal(np.load(tmp_path / "out" / "z.npy"), a - b)
    assert np.load(tmp_path / "out" / "y.npy").shape == (2, 5, 3)
    cli.succeed("run", "--arch", cli.ISAAC_8BIT, "--network", network, "--dim", "T=5", *named, "--dump-outputs",
                tmp_path / "chip", "--batch", 2)
    np.testing.assert_array_equal(np.load(tmp_path / "chip" / "z.npy"), a - b)
    exact = np.load(tmp_path / "out" / "y.npy")
    assert np.abs(np.load(tmp_path / "chip" / "y.npy") - exact).max() < 0.02 * np.abs(exact).max()


def test_a_folder_serves_as_well(tmp_path, network):
    (tmp_path / "both").mkdir()
    for name in "ab":
        (tmp_path / f"{name}.npy").rename(tmp_path / "both" / f"{name}.npy")
    cli.succeed("infer", "--network", network, "--dim", "T=5", "--input", tmp_path / "both", "--dump-outputs", tmp_path / "out")
    a, b = arrays(tmp_path / "both")
    np.testing.assert_array_equal(np.load(tmp_path / "out" / "z.npy"), a - b)


def test_wrong_names_are_told_at_once(tmp_path, network):
    a = tmp_path / "a.npy"
    message = cli.refuse(cli.USAGE, "infer", "--network", network, "--dim", "T=5", "--input", f"a={a}", "--input", f"a={a}",
                         "--input", f"c={a}")
    assert f"--input a={a}: the input is given twice" in message
    assert f"--input c={a}: names no input of the network; allowed: a, b" in message
    assert "the network's input 'b' is not given; allowed: --input b=file" in message
    message = cli.refuse(cli.USAGE, "infer", "--network", network, "--dim", "T=5", "--input", a, "--input", a)
    assert "is a second path" in message
    message = cli.refuse(cli.USAGE, "infer", "--network", network, "--dim", "T=5", "--input", a)
    assert "is one file for a network of 2 inputs" in message and "name=file for each" in message
    message = cli.refuse(cli.USAGE, "infer", "--network", network, "--dim", "T=5", "--input", a, "--input", f"b={a}")
    assert "beside named inputs" in message


def test_symbolic_dimensions_need_a_size(network):
    message = cli.refuse(cli.NETWORK, "check", network)
    assert "dimension 1 is symbolic ('T')" in message and "give it, --dim T=..." in message
    checked = json.loads(cli.succeed("check", network, "--dim", "T=7", "--json").out)
    assert checked["files"][0]["inputs"][0] == {"name": "a", "shape": [1, 7, 4]}
    for command in (["map", "--arch", cli.ISAAC], ["slices", "--arch", cli.ISAAC]):
        cli.succeed(*command, "--network", network, "--dim", "T=7")
    assert "1x7x4" in cli.succeed("show", network, "--dim", "T=7").out
    message = cli.refuse(cli.NETWORK, "check", network, "--dim", "T=7", "--dim", "K=2")
    assert "--dim K=2: no network input has that dimension; allowed: T, N" in message


@pytest.mark.parametrize("wrong", ["T", "T=", "=3", "T=0", "T=-1", "T=1.5", "T=x"])
def test_sizes_are_whole_numbers(network, wrong):
    message = cli.refuse(cli.USAGE, "infer", "--network", network, "--dim", wrong, "--input", network)
    assert f"--dim {wrong}: is no name and size; allowed: name=size, a whole number from 1" in message


def test_the_batch_may_be_bound_too(network):
    checked = json.loads(cli.succeed("check", network, "--dim", "T=7", "--dim", "N=3", "--json").out)
    assert checked["files"][0]["inputs"][0]["shape"] == [3, 7, 4]
