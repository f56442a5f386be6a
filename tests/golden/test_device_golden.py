# SPDX-License-Identifier: Apache-2.0
"""Runs on chips that are not ideal equal the second implementation: every draw, conductance and conversion."""

import statistics
import warnings

import numpy as np
import pytest
import torch

import cli
import golden_device
import golden_layer
from golden_device import Chip

ALL = dict(variation_model="lognormal", variation_sigma=0.05, stuck_off=0.002, stuck_on=0.001, read_noise=0.02,
           drift_exponent=1e-4, drift_spread=1e-4, adc_offset=0.2, adc_offset_spread=0.3, adc_gain=0.001,
           adc_gain_spread=0.002, adc_noise=0.3)
ANALOG = ["encoding.weights=differential", "encoding.subtraction=analog", "encoding.flip=false",
          "adc.resolution.policy=fixed", "adc.resolution.bits=8", "ima.output_register.capacity=4 KiB"]
CASES = {
    "variation alone": (Chip(variation_model="normal"), [], cli.CNN),
    "everything": (Chip(seed=5, off_state="finite", wire_resistance=0.05, **ALL), [], cli.CNN),
    "digital off current, measured, truncating": (
        Chip(seed=2**40 + 3, off_state="finite", off_current="digital", **{**ALL, "variation_model": "measured"}),
        ["adc.resolution.policy=fixed", "adc.resolution.bits=6", "adc.conversion=truncate", "dac.bits=2"], cli.CNN),
    "off current kept": (Chip(off_state="finite", off_current="kept", r_on=1e4, r_off=1e6, **ALL), [], cli.CNN),
    "analog subtraction": (Chip(off_state="finite", **ALL), ANALOG, cli.CNN),
    "centres": (Chip(off_state="finite", **ALL), ["encoding.weights=centre_offset", *ANALOG[1:]], cli.CNN),
}


@pytest.mark.parametrize("name", CASES)
def test_every_layer_equals_the_second_implementation(tmp_path, name):
    chip, sets, network = CASES[name]
    np.save(tmp_path / "x.npy", np.load(cli.TEST_X)[:2])
    cli.succeed("run", "--arch", cli.ISAAC_8BIT, "--network", network, "--input", tmp_path / "x.npy", "--calibrate",
                cli.CALIBRATION, "--dump-layers", tmp_path / "d", *chip.overrides(),
                *[word for s in sets for word in ("--set", s)])
    differs = 0
    for layer, entry in enumerate(golden_layer.check_folder_entries(tmp_path / "d")):
        x, w, y = golden_layer.arrays(tmp_path / "d", entry)
        expected = golden_device.layer_sums(chip, x, w, entry, layer)
        assert np.array_equal(expected, y), (entry["name"], np.mean(expected != y))
        differs += not np.array_equal(golden_layer.layer_sums(x, w, entry), y)
    assert differs > 2    # real cells do change the integers


class Recurrent(torch.nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(1)
        self.cell = torch.nn.LSTM(5, 8, batch_first=True)

    def forward(self, x):
        return self.cell(x)[0][:, -1]


def test_steps_on_the_same_crossbars_have_the_same_cells_and_reads_of_their_own(tmp_path):
    chip = Chip(off_state="finite", **ALL)
    x = torch.randn(3, 6, 5, generator=torch.Generator().manual_seed(2))
    with warnings.catch_warnings():  # tracing tells that lengths become constants
        warnings.simplefilter("ignore")
        torch.onnx.export(Recurrent().eval(), x[:1], str(tmp_path / "net.onnx"), opset_version=14)
    np.save(tmp_path / "x.npy", x.numpy())
    cli.succeed("run", "--arch", cli.ISAAC_8BIT, "--network", tmp_path / "net.onnx", "--input", tmp_path / "x.npy",
                "--dump-layers", tmp_path / "d", *chip.overrides())
    weights = []
    for layer, entry in enumerate(golden_layer.check_folder_entries(tmp_path / "d")):
        x, w, y = golden_layer.arrays(tmp_path / "d", entry)
        weights.append(w)
        owner = next(i for i, other in enumerate(weights) if np.array_equal(other, w))
        assert np.array_equal(golden_device.layer_sums(chip, x, w, entry, layer, 3, owner), y), entry["name"]
    assert len(weights) == 6    # inputs of all steps together, and the states of five


def test_another_seed_is_noticed(tmp_path):
    chip = Chip(seed=3, variation_model="normal")
    np.save(tmp_path / "x.npy", np.load(cli.TEST_X)[:1])
    cli.succeed("run", "--arch", cli.ISAAC_8BIT, "--network", cli.MLP, "--input", tmp_path / "x.npy", "--calibrate",
                cli.CALIBRATION, "--dump-layers", tmp_path / "d", *chip.overrides())
    entry = golden_layer.check_folder_entries(tmp_path / "d")[0]
    x, w, y = golden_layer.arrays(tmp_path / "d", entry)
    assert np.array_equal(golden_device.layer_sums(chip, x, w, entry, 0), y)
    chip.seed = 4
    assert not np.array_equal(golden_device.layer_sums(chip, x, w, entry, 0), y)


def test_the_words_are_those_that_the_authors_of_philox_publish():
    words = golden_device.philox((0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344), (0xA4093822, 0x299F31D0))
    assert [int(word) for word in words] == [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1]
    assert golden_device.normal(np.array([0x80000000], np.uint64))[0] == pytest.approx(
        statistics.NormalDist().inv_cdf(0.5 + 2**-33))
