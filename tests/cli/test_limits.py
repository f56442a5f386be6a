# SPDX-License-Identifier: Apache-2.0
"""Networks that do not fit the chip (exit code 5) and simulations that take too long (7)."""

import time

import numpy as np
import pytest

import cli
from tiny_onnx import gemm_model, model, node, save, weights

ONE_CROSSBAR = ["--set", "chip.tiles=1", "--set", "chip.mesh_width=1", "--set", "tile.imas=1",
                "--set", "ima.crossbars=1"]


@pytest.mark.parametrize("command", ["run", "map"])
def test_a_network_too_large_for_the_chip(command):
    message = cli.refuse(cli.MAPPING, command, "--arch", cli.ISAAC, "--network", cli.CNN, *ONE_CROSSBAR)
    assert "chip.tiles" in message and "IMA" in message


def test_a_layer_larger_than_the_whole_chip(tmp_path):
    """2048 x 2048 weights of 16 bits in 2-bit cells of 128 x 128 crossbars: 16 x 128 crossbars, 256 IMAs."""
    path = save(tmp_path / "wide.onnx", gemm_model(2048, 2048))
    message = cli.refuse(cli.MAPPING, "map", "--arch", cli.ISAAC, "--network", path, "--set", "chip.tiles=2")
    assert "256" in message and "24" in message


def test_a_buffer_too_small_for_the_network():
    message = cli.refuse(cli.MAPPING, "map", "--arch", cli.ISAAC, "--network", cli.CNN,
                         "--set", "tile.edram.capacity=64 B")
    assert "tile.edram.capacity" in message


def test_slices_are_told_even_of_what_does_not_fit():
    assert "fc" in cli.succeed("slices", "--arch", cli.ISAAC, "--network", cli.CNN, *ONE_CROSSBAR).out


def test_a_timeout(tmp_path):
    """A long simulation is given up within its time and leaves no result that looks complete."""
    layers = [node("Conv", f"conv{i}", [f"v{i}", f"w{i}"], [f"v{i + 1}"], kernel_shape=[3, 3], pads=[1] * 4)
              for i in range(6)]
    large = model(layers, {"v0": ["N", 64, 96, 96]}, {"v6": ["N", 64, 96, 96]},
                  [weights(f"w{i}", 64, 64, 3, 3, seed=i) for i in range(6)])
    path, start = save(tmp_path / "large.onnx", large), time.monotonic()
    message = cli.refuse(cli.TIMEOUT, "run", "--arch", cli.ISAAC, "--network", path, "--timeout", "0.5",
                         "--batch", "50", "--out", tmp_path / "out")
    assert "0.5" in message and time.monotonic() - start < 15
    assert not (tmp_path / "out" / "result.json").exists()


def test_the_largest_images_count_is_not_a_limit_of_the_labels(tmp_path):
    """One image more than was calibrated with is no error."""
    np.save(tmp_path / "x.npy", np.load(cli.TEST_X)[:65])
    cli.succeed("run", "--arch", cli.ISAAC_8BIT, "--network", cli.MLP, "--input", tmp_path / "x.npy")
