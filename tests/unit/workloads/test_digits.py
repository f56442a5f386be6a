# SPDX-License-Identifier: Apache-2.0
"""The committed digit networks: accuracy by an independent executor, structure, and the held-out split."""

import pathlib
import sys

import numpy as np
import onnx
import pytest
from onnx import shape_inference

import onnx_torch

WORKLOADS = pathlib.Path(__file__).resolve().parents[3] / "workloads"
NETWORKS = ["digits-cnn", "digits-mlp"]
COMMITTED = [f"{n}.onnx" for n in NETWORKS] + [f"digits-{n}.npy" for n in ("test-x", "test-y", "calibration-x")]


def held_out():
    return np.load(WORKLOADS / "digits-test-x.npy"), np.load(WORKLOADS / "digits-test-y.npy")


@pytest.mark.parametrize("name", NETWORKS)
def test_float_accuracy_is_at_least_97_percent(name):
    x, y = held_out()
    predicted = onnx_torch.infer(WORKLOADS / f"{name}.onnx", x).argmax(1)
    assert (predicted == y).mean() >= 0.97


def test_arrays_have_the_documented_shapes():
    x, y = held_out()
    assert x.shape == (360, 1, 8, 8) and x.dtype == np.float32 and 0 <= x.min() and x.max() == 1
    assert y.shape == (360,) and y.dtype == np.int64
    # Stratified: every class is there in its share of the 1797 images, to one image.
    assert np.bincount(y, minlength=10).min() >= 34 and np.bincount(y, minlength=10).max() <= 38
    assert np.load(WORKLOADS / "digits-calibration-x.npy").shape == (64, 1, 8, 8)


def test_arrays_are_the_split_of_the_training_script_and_do_not_overlap():
    sys.path.insert(0, str(WORKLOADS))
    import train_digits
    train_x, train_y, test_x, test_y = train_digits.split()
    x, y = held_out()
    np.testing.assert_array_equal(x, test_x)
    np.testing.assert_array_equal(y, test_y)
    chosen = np.load(WORKLOADS / "digits-calibration-x.npy")
    np.testing.assert_array_equal(chosen, train_digits.calibration(train_x, train_y))
    seen = {image.tobytes() for image in train_x}
    assert len(seen) == 1797 - 360
    assert not any(image.tobytes() in seen for image in x)
    assert all(image.tobytes() in seen for image in chosen)


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_are_valid_onnx_with_a_symbolic_batch(name):
    model = onnx.load(WORKLOADS / f"{name}.onnx")
    onnx.checker.check_model(model, full_check=True)
    shape = shape_inference.infer_shapes(model, strict_mode=True).graph.output[0].type.tensor_type.shape
    assert shape.dim[0].dim_param == "N" and shape.dim[1].dim_value == 10
    names = [node.name for node in model.graph.node]
    assert all(names) and len(set(names)) == len(names)


def test_cnn_has_a_residual_a_concat_and_batch_normalization():
    kinds = {node.op_type for node in onnx.load(WORKLOADS / "digits-cnn.onnx").graph.node}
    assert {"Conv", "BatchNormalization", "Relu", "MaxPool", "Add", "Concat", "AveragePool", "Gemm"} <= kinds


def test_committed_files_stay_below_2_mb():
    assert sum((WORKLOADS / name).stat().st_size for name in COMMITTED) < 2_000_000
