# SPDX-License-Identifier: Apache-2.0
"""The engine's dumped integers equal the slow NumPy computation, for every way of converting."""

import os
import pathlib
import subprocess

import numpy as np
import pytest

import golden_layer


@pytest.fixture(scope="module")
def dumps(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dumps")
    subprocess.run([os.environ["BITLINE_ENGINE_DUMP"], str(folder)], check=True, stdout=subprocess.DEVNULL)
    return sorted(folder.iterdir(), key=lambda path: int(path.name))


def test_every_combination_equals_the_slow_computation(dumps):
    seen = set()
    for folder in dumps:
        (entry,) = golden_layer.check_folder(folder)
        seen.add(
            (entry["weight_encoding"], entry["subtraction"], entry["flip"], entry["conversion"], entry["dac_bits"], entry["group"])
        )
    # 10 encodings with and without flip (never with analog subtraction) x 2 conversions x 3 chunkings x 3 groupings,
    # each with 4 ADC policies
    # (a linear layer has one group, as has an ungrouped convolution)
    assert len(seen) == 10 * 2 * 3 * 3
    assert len(dumps) == 10 * 2 * 3 * 4 * 4


def test_the_cases_reach_clipping_and_rounding(dumps):
    """Some results differ from the plain product: a check of the product alone would not pass."""
    lossy = 0
    for folder in dumps:
        (entry,) = golden_layer.check_folder_entries(folder)
        x, w, y = golden_layer.arrays(folder, entry)
        lossless = dict(entry, conversion="clip", adc_bits=[[60 for _ in row] for row in entry["adc_bits"]])
        lossy += not np.array_equal(golden_layer.layer_sums(x, w, lossless), y)
    assert lossy > len(dumps) // 4


def test_a_wrong_integer_is_found(dumps, tmp_path):
    folder = dumps[0]
    for path in pathlib.Path(folder).iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (entry,) = golden_layer.check_folder_entries(tmp_path)
    y = np.load(tmp_path / f"{entry['name']}.y.npy")
    y.flat[0] += 1
    np.save(tmp_path / f"{entry['name']}.y.npy", y)
    with pytest.raises(AssertionError):
        golden_layer.check_folder(tmp_path)
