# SPDX-License-Identifier: Apache-2.0
"""What is vendored is what its registry has, with its licence beside it."""

import hashlib
import pathlib

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
FOLDERS = sorted(p.parent for p in ROOT.glob("*/*/vendor/*/SHA256SUMS"))


def sums(folder):
    """{file: SHA-256} as the list has them."""
    return {name: digest for digest, name in (line.split() for line in (folder / "SHA256SUMS").read_text().splitlines())}


def test_echarts_is_there():
    assert ROOT / "tools" / "report" / "vendor" / "echarts" in FOLDERS


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda p: p.name)
def test_every_file_has_its_checksum(folder):
    files = {p.name for p in folder.iterdir()} - {"SHA256SUMS"}
    assert files == set(sums(folder)) and "LICENSE" in files
    for name, digest in sums(folder).items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest, name
