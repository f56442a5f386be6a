# SPDX-License-Identifier: Apache-2.0
"""What `bitline run --dump-layers` writes for the trained networks equals the slow NumPy computation."""

import os
import pathlib
import subprocess

import numpy as np
import pytest

import golden_layer

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BITLINE = os.environ["BITLINE"]


@pytest.mark.parametrize("network", ["digits-cnn", "digits-mlp"])
@pytest.mark.parametrize(
    "arch, settings",
    [
        ("isaac", []),
        ("isaac-8bit", []),
        ("isaac-8bit", ["adc.resolution.policy=fixed", "adc.resolution.bits=5"]),
        ("isaac-8bit", ["adc.resolution.policy=fixed", "adc.resolution.bits=5", "adc.conversion=truncate"]),
        ("isaac-8bit", ["adc.resolution.policy=lossless", "dac.bits=2"]),
        ("bitslice-l1", []),
        ("raella", []),
        ("raella", ["adc.resolution.bits=5"]),
        ("raella", ["adc.resolution.policy=lossless"]),
    ],
)
def test_dumped_layers_of_a_trained_network(network, arch, settings, tmp_path):
    images = np.load(SOURCE / "workloads" / "digits-test-x.npy")[:2]
    np.save(tmp_path / "x.npy", images)
    command = [BITLINE, "run", "--arch", SOURCE / "configs" / f"{arch}.yaml", "--quiet"]
    command += ["--network", SOURCE / "workloads" / f"{network}.onnx", "--input", tmp_path / "x.npy"]
    command += ["--dump-layers", tmp_path / "layers"]
    for setting in settings:
        command += ["--set", setting]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    entries = golden_layer.check_folder(tmp_path / "layers")
    assert len(entries) == {"digits-cnn": 7, "digits-mlp": 3}[network]
    for entry in entries:
        x, w, y = golden_layer.arrays(tmp_path / "layers", entry)
        assert len(x) == len(images)
        if arch == "raella":
            assert len(entry["centres"]) == len(w) and any(entry["centres"])
        if settings == ["adc.resolution.policy=lossless"]:  # the plain product, centres and all
            plain = dict(entry, weight_encoding="differential", slice_widths=[7], adc_bits=[[60] for _ in entry["row_blocks"]])
            assert np.array_equal(golden_layer.layer_sums(x, w, plain), y)
        if settings == [] and arch.startswith("isaac"):  # ISAAC's ADC never clips: the plain product
            assert entry["flip"]
            assert all(bits >= 7 for row in entry["adc_bits"] for bits in row)
            lossless = dict(entry, adc_bits=[[60 for _ in row] for row in entry["adc_bits"]])
            assert np.array_equal(golden_layer.layer_sums(x, w, lossless), y)
