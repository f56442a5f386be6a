# SPDX-License-Identifier: Apache-2.0
"""The commands of the command line as functions: the trees of their JSON as dicts."""

from __future__ import annotations

import contextlib
import os
import pathlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bitline.networks import Network, request_of
from bitline.program import call


@contextlib.contextmanager
def _file_of(network: Network, input_shape: Sequence[int] | None, program: Any) -> Iterator[str]:
    """The path of a network's ONNX file; made for the time being where it has none."""
    given, data = request_of(network, input_shape)
    if data is None and "network" in given:
        yield given["network"]
        return
    with tempfile.TemporaryDirectory(prefix="bitline-") as folder:
        file = pathlib.Path(folder) / "network.onnx"
        if data is not None:
            file.write_bytes(data)
        else:
            _make(given, file, program)
        yield str(file)


def _make(given: dict[str, Any], file: pathlib.Path, program: Any) -> None:
    import json
    import subprocess

    from bitline.errors import error_of_command
    from bitline.program import program_path

    name = given.pop("workload", "darts")
    words = [word for key, value in given.items()
             for word in (f"--{key}", value if isinstance(value, str) else json.dumps(value))]
    done = subprocess.run([program_path(program), "workload", "make", name, *words, "-o", str(file)], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise error_of_command(done.returncode, done.stderr)


def _words(arch: Any, network: str, set: Mapping[str, Any] | None) -> list[str]:
    words = ["--arch", os.fspath(arch), "--network", network]
    for key, value in (set or {}).items():
        words += ["--set", f"{key}={value}"]
    return words


def _tree(words: list[str], timeout: float | None, program: Any) -> dict[str, Any]:
    tree: dict[str, Any] = call(words, timeout, program)
    return tree


def simulate(arch: Any, network: Network, *, mode: str = "cycle", input: Any = None, labels: Any = None, calibrate: Any = None,
             batch: int = 1, seed: int = 1, set: Mapping[str, Any] | None = None, timeout: float | None = None,
             input_shape: Sequence[int] | None = None, program: Any = None) -> dict[str, Any]:
    """`bitline run`: the tree of result.json. input, labels, calibrate: paths; mode: cycle, structural or analytic."""
    with _file_of(network, input_shape, program) as file:
        words = ["run", *_words(arch, file, set), "--mode", mode, "--batch", str(batch), "--seed", str(seed), "--json", "--quiet"]
        for option, path in (("--input", input), ("--labels", labels), ("--calibrate", calibrate)):
            if path is not None:
                words += [option, os.fspath(path)]
        return _tree(words, timeout, program)


def map(arch: Any, network: Network, *, set: Mapping[str, Any] | None = None, timeout: float | None = None,
        input_shape: Sequence[int] | None = None, program: Any = None) -> dict[str, Any]:
    """`bitline map`: where the layers lie."""
    with _file_of(network, input_shape, program) as file:
        return _tree(["map", *_words(arch, file, set), "--json"], timeout, program)


def slices(arch: Any, network: Network, *, set: Mapping[str, Any] | None = None, timeout: float | None = None,
           input_shape: Sequence[int] | None = None, program: Any = None) -> dict[str, Any]:
    """`bitline slices`: sparsity and ADC bits of the bit slices."""
    with _file_of(network, input_shape, program) as file:
        return _tree(["slices", *_words(arch, file, set), "--json"], timeout, program)


def layers_frame(tree: Any) -> Any:
    """The "layers" of a tree or of a Cost as a pandas DataFrame, nested figures with dotted names. Needs pandas."""
    import pandas

    return pandas.json_normalize([dict(row) for row in tree["layers"]])
