# SPDX-License-Identifier: Apache-2.0
"""Two small networks of torchvision; all families: torchvision_networks.py, by hand."""

import pytest

import torchvision_networks


@pytest.mark.parametrize("name", ["squeezenet1_1", "mobilenet_v3_small"])
def test_it_agrees_with_pytorch_imports_quickly_and_maps(name, tmp_path):
    row, problems = torchvision_networks.examine(name, tmp_path)
    assert problems == []
    assert row["crossbars"] > 0 and row["error"] > 0
