# SPDX-License-Identifier: Apache-2.0
"""Every kind of faulty ONNX file: exit code 4 and one clear message that names the file and the fault."""

import resource

import numpy as np
import pytest
from onnx import TensorProto, helper

import cli
from tiny_onnx import FLOAT, conv, conv_model, gemm_model, model, node, save, tensor, weights

X = {"x": ["N", 4, 8, 8]}
Y = {"y": ["N", 4, 8, 8]}


def refused(path, *fragments, timeout=60):
    """`run` and `check` both refuse it, naming the file and every fragment."""
    for command in (["run", "--arch", cli.ISAAC, "--network", path], ["check", "--network", path]):
        message = cli.refuse(cli.NETWORK, *command, timeout=timeout)
        assert path.name in message
        for fragment in fragments:
            assert str(fragment) in message, message


@pytest.mark.parametrize("seed", range(8))
def test_random_bytes(tmp_path, seed):
    path = tmp_path / "random.onnx"
    path.write_bytes(np.random.default_rng(seed).bytes(10 ** (seed % 4 + 1)))
    refused(path)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file(tmp_path, share):
    whole = cli.CNN.read_bytes()
    path = tmp_path / "truncated.onnx"
    path.write_bytes(whole[:int(len(whole) * share)])
    refused(path)


def test_a_text_file(tmp_path):
    path = tmp_path / "notes.onnx"
    path.write_text("This is not a network.\n" * 20)
    refused(path)


def test_a_file_that_is_not_there(tmp_path):
    refused(tmp_path / "absent.onnx")


def test_a_folder(tmp_path):
    refused(tmp_path)


GRAPHS = {
    "a ring of two nodes": (
        model([node("Relu", "ring_a", ["b"], ["a"]), node("Relu", "ring_b", ["a"], ["b"]),
               node("Add", "sum", ["x", "a"], ["y"])], X, Y), ["ring_a", "ring_b"]),
    "a node that reads itself": (model([node("Add", "loop", ["x", "y"], ["y"])], X, Y), ["loop"]),
    "a value made twice": (
        model([node("Relu", "first", ["x"], ["y"]), node("Sigmoid", "second", ["x"], ["y"])], X, Y), ["y"]),
    "a value that nobody makes": (model([node("Relu", "relu1", ["ghost"], ["y"])], X, Y), ["relu1", "ghost"]),
    "an output that nobody makes": (model([node("Relu", "relu1", ["x"], ["z"])], X, Y), ["y"]),
    "no output": (model([node("Relu", "relu1", ["x"], ["y"])], X, {}), []),
    "no nodes and no input": (model([], {}, {}), []),
    "missing weights": (conv_model(initializers=[]), ["conv1", "w"]),
    "a convolution without a weight input": (
        model([node("Conv", "conv1", ["x"], ["y"], kernel_shape=[3, 3])], X, Y), ["conv1"]),
    "a two-dimensional convolution weight": (conv_model(initializers=[weights("w", 4, 9)]), ["conv1"]),
    "a weight for other channels": (conv_model(initializers=[weights("w", 4, 3, 3, 3)]), ["conv1"]),
    "an image of rank three": (conv_model(x_shape=["N", 8, 8]), ["conv1"]),
    "a Gemm weight of rank three": (
        model([node("Gemm", "fc1", ["x", "w"], ["y"])], {"x": ["N", 4]}, {"y": ["N", 4]}, [weights("w", 4, 4, 1)]),
        ["fc1"]),
    "a Gemm of unequal inner dimensions": (
        model([node("Gemm", "fc1", ["x", "w"], ["y"])], {"x": ["N", 4]}, {"y": ["N", 4]}, [weights("w", 5, 4)]),
        ["fc1"]),
    "a bias of the wrong length": (
        model([node("Gemm", "fc1", ["x", "w", "b"], ["y"])], {"x": ["N", 4]}, {"y": ["N", 4]},
              [weights("w", 4, 4), weights("b", 3)]), ["fc1"]),
    "summands of different shapes": (
        model([conv("conv1", "x", output="a", strides=[2, 2]), node("Add", "add1", ["x", "a"], ["y"])], X, Y,
              [weights("w", 4, 4, 3, 3)]), ["add1"]),
    "parts of a concatenation that do not fit": (
        model([conv("conv1", "x", output="a", strides=[2, 2]), node("Concat", "cat1", ["x", "a"], ["y"], axis=1)], X,
              Y, [weights("w", 4, 4, 3, 3)]), ["cat1"]),
    "a concatenation along an axis that is not there": (
        model([node("Concat", "cat1", ["x", "x"], ["y"], axis=7)], X, Y), ["cat1"]),
    "a reshape to another number of elements": (
        model([node("Reshape", "reshape1", ["x", "shape"], ["y"])], X, Y, [tensor("shape", [1, 7], np.int64)]),
        ["reshape1"]),
    "a zero dimension of the input": (conv_model(x_shape=["N", 0, 8, 8]), ["x"]),
    "a negative dimension of the input": (conv_model(x_shape=["N", 1, -8, 8]), ["x"]),
    "an unknown dimension that is not the batch": (conv_model(x_shape=["N", 1, "H", "W"]), ["x"]),
    "a fixed batch of four": (conv_model(x_shape=[4, 1, 8, 8]), ["x", "4"]),
    "an empty weight": (conv_model(initializers=[weights("w", 4, 0, 3, 3)]), ["w"]),
    "a stride of zero": (conv_model(strides=[0, 1]), ["conv1", "strides"]),
    "a negative stride": (conv_model(strides=[1, -1]), ["conv1", "strides"]),
    "a dilation of zero": (conv_model(dilations=[0, 0]), ["conv1", "dilations"]),
    "a negative padding": (conv_model(pads=[-1, 0, 0, 0]), ["conv1", "pads"]),
    "three paddings": (conv_model(pads=[1, 1, 1]), ["conv1", "pads"]),
    "a kernel size other than the weight's": (conv_model(kernel_shape=[5, 5]), ["conv1"]),
    "a group of zero": (conv_model(group=0), ["conv1", "group"]),
    "a group that does not divide the channels": (
        model([conv(output="y", group=3)], X, Y, [weights("w", 4, 1, 3, 3)]), ["conv1", "group"]),
    "a window larger than the image": (
        model([node("MaxPool", "pool1", ["x"], ["y"], kernel_shape=[9, 9])], X, Y), ["pool1"]),
    "a pooling window of zero": (
        model([node("MaxPool", "pool1", ["x"], ["y"], kernel_shape=[0, 2])], X, Y), ["pool1"]),
    "a weight that is not a number": (
        conv_model(initializers=[tensor("w", np.full((4, 1, 3, 3), np.nan))]), ["w"]),
    "an infinite weight": (conv_model(initializers=[tensor("w", np.full((4, 1, 3, 3), np.inf))]), ["w"]),
    "a negative variance": (
        model([conv(output="a"), node("BatchNormalization", "bn1", ["a", "s", "b", "m", "v"], ["y"])],
              {"x": ["N", 1, 8, 8]}, Y, [weights("w", 4, 1, 3, 3)] + [tensor(n, [1] * 4) for n in "sbm"]
              + [tensor("v", [-1] * 4)]), ["bn1"]),
    "an integer weight of a convolution": (
        conv_model(initializers=[tensor("w", np.ones((4, 1, 3, 3)), np.int64)]), ["conv1"]),
    "an image of terabytes": (conv_model(x_shape=["N", 1, 2_000_000, 2_000_000]), ["x"]),
    "dimensions whose product overflows": (conv_model(x_shape=["N", 2 ** 31, 2 ** 31, 2 ** 31]), ["x"]),
    "a padding that makes terabytes": (conv_model(pads=[2_000_000] * 4), ["conv1"]),
    "a reshape to terabytes": (
        model([node("Reshape", "reshape1", ["x", "shape"], ["y"])], X, Y,
              [tensor("shape", [1, 2 ** 40], np.int64)]), ["reshape1"]),
}


@pytest.mark.parametrize("fault", GRAPHS)
def test_a_faulty_graph(tmp_path, fault):
    proto, fragments = GRAPHS[fault]
    refused(save(tmp_path / "faulty.onnx", proto), *fragments)


def claims(dims, **fields):
    """A weight "w" that claims `dims` but holds what is given."""
    proto = TensorProto(name="w", data_type=FLOAT, dims=dims)
    for key, value in fields.items():
        setattr(proto, key, value)
    return proto


@pytest.mark.parametrize("weight", [
    claims([4, 1, 3, 3]), claims([4, 1, 3, 3], raw_data=b"\0" * 35 * 4), claims([4, 1, 3, 3], raw_data=b"\0" * 37 * 4),
    claims([2 ** 20, 2 ** 20, 3, 3]), claims([2 ** 62, 2 ** 62, 3, 3], raw_data=b"\0" * 16), claims([-4, 1, 3, 3])],
    ids=["no data", "too little data", "too much data", "terabytes", "overflow", "negative"])
def test_a_weight_whose_data_do_not_fit_its_dimensions(tmp_path, weight):
    refused(save(tmp_path / "faulty.onnx", conv_model(initializers=[weight])), "w")


def test_weights_in_a_file_that_is_not_there(tmp_path):
    weight = claims([4, 1, 3, 3], data_location=TensorProto.EXTERNAL)
    weight.external_data.add(key="location", value="absent.bin")
    refused(save(tmp_path / "faulty.onnx", conv_model(initializers=[weight])), "w")


def test_no_claimed_size_is_allocated():
    """Runs last in the file: the largest of all programs started above stayed small."""
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < 1_000_000  # kB


def test_every_unsupported_node_is_listed(tmp_path):
    network = model([node("Einsum", "mix", ["x"], ["a"], equation="nchw->nhwc"),
                     node("Relu", "fine", ["a"], ["b"]),
                     node("Scan", "memory", ["b"], ["c"], num_scan_inputs=1),
                     helper.make_node("Fancy", ["c"], ["y"], name="special", domain="com.example")], X, Y)
    path = save(tmp_path / "unsupported.onnx", network)
    refused(path, "mix", "Einsum", "memory", "Scan", "special", "Fancy")
    assert "fine" not in cli.refuse(cli.NETWORK, "check", "--network", path)


def test_all_faults_of_a_file_are_listed_at_once(tmp_path):
    network = model([conv("conv1", "x", "w1", "a", strides=[0, 0]), conv("conv2", "x", "w2", "b"),
                     node("Add", "add1", ["a", "b"], ["y"])], X, Y, [weights("w1", 4, 4, 3, 3), weights("w2", 4, 9)])
    refused(save(tmp_path / "faulty.onnx", network), "conv1", "conv2")


def test_a_chain_of_ten_thousand_nodes_does_not_overflow_the_stack(tmp_path):
    names = ["x", *(f"v{i}" for i in range(9_999)), "y"]
    chain = [node("Relu", f"relu{i}", [names[i]], [names[i + 1]]) for i in range(10_000)]
    cli.succeed("check", "--network", save(tmp_path / "long.onnx", model(chain, X, Y)))


def test_the_sound_relatives_of_the_faulty_graphs_are_accepted(tmp_path):
    """So that the refusals above are for the faults and not for something that all of them share."""
    for proto in (conv_model(), conv_model(x_shape=[1, 1, 8, 8]), gemm_model()):
        cli.succeed("check", "--network", save(tmp_path / "sound.onnx", proto))
