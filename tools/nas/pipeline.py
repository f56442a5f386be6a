# SPDX-License-Identifier: Apache-2.0
"""Search, retraining, export, simulation and report, one after another in a folder; what is there is not done again.

Every stage starts from a seed of its own and keeps its state in the folder, so a run that was killed at any point ends with the
bytes of one that was not.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import io
import json
import os
import pathlib
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

import numpy
import torch
from torch import nn

from bitline.nas import checkpoint, data, hardware, onnx_module
from bitline.nas.export import export, integer_module
from bitline.nas.genotype import Genotype
from bitline.nas.quantise import Bits, calibrate, quantise
from bitline.nas.report import text_of
from bitline.nas.search import Search, Searcher
from bitline.nas.simulate import Machine, measure
from bitline.nas.space import Network, Shape, macs_of, parameters_of
from bitline.nas.supernet import Supernet
from bitline.nas.train import Progress, Training, accuracy, fit, require
from bitline.program import program_path

_SEARCH_SEED, _TRAIN_SEED = 1, 2
#: How the expected cost of architectures is asked for.
HARDWARE: dict[str, Callable[..., Any] | None] = {"lut": hardware.from_table, "oracle": hardware.from_oracle, "none": None}


@dataclasses.dataclass(frozen=True)
class Settings:
    """Everything that the result depends on. genotype: as dict, instead of a search; network: an ONNX file, instead of both."""

    machine: Machine
    data: str = "digits"
    seed: int = 1
    layers: int = 3
    channels: int = 8
    partial: int = 1
    bits: Bits = Bits()
    search: Search = Search()
    training: Training = Training()
    hardware: str = "lut"
    metric: str = "edp"
    genotype: dict[str, Any] | None = None
    network: str | None = None
    train_images: int | None = None
    test_images: int | None = None

    def __post_init__(self) -> None:
        require({"seed": (self.seed, 0, 2 ** 31), **{name: (value, 2, 10 ** 9) for name, value in
                 (("training images", self.train_images), ("test images", self.test_images)) if value is not None}})
        if self.hardware not in HARDWARE:
            raise ValueError(f"hardware: '{self.hardware}'; allowed: {', '.join(HARDWARE)}")


class Run:
    """One run in a folder. device: cpu or cuda; seconds: between two checkpoints."""

    def __init__(self, out: pathlib.Path, settings: Settings, *, device: str = "cpu", seconds: float = 5.0,
                 progress: Progress = lambda what, done, of: None) -> None:
        self.out, self.settings, self.progress, self.seconds = out, settings, progress, seconds
        if not re.fullmatch(r"cpu|cuda(:\d+)?", device):
            raise ValueError(f"device: {device}; allowed: cpu, cuda, cuda:N")
        if device != "cpu" and not torch.cuda.is_available():
            raise ValueError(f"device: {device}; allowed here: cpu (PyTorch finds no CUDA device)")
        self.device = torch.device(device)
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # what cuBLAS asks for to repeat its results
        torch.use_deterministic_algorithms(True, warn_only=device != "cpu")  # pools have no such gradient on a GPU

    def __call__(self) -> dict[str, Any]:
        """Does what is left to do; the report. Raises ValueError, ArithmeticError or a BitlineError."""
        self.out.mkdir(parents=True, exist_ok=True)
        with _alone(self.out):
            for left in self.out.glob(".*.tmp"):  # of a run that was killed while it wrote
                left.unlink()
            self._keep_settings()
            images = data.load(self.settings.data).first(self.settings.train_images, self.settings.test_images).to(self.device)
            module, genotype = self._module(images)
            self._train(module, images)
            return self._report(module.cpu(), genotype, images.to(torch.device("cpu")))

    def _keep_settings(self) -> None:
        file = self.out / "settings.json"
        mine = json.loads(json.dumps(dataclasses.asdict(self.settings)))
        if not file.exists():
            return checkpoint.write_atomically(file, _json(mine))
        theirs = json.loads(file.read_text())
        if differing := list(_differences(theirs, mine)):
            raise ValueError(f"{self.out}: was begun with other settings ({'; '.join(differing)}); "
                             "remedy: give these again, or another --out")
        return None

    def _once(self, name: str, make: Callable[[], Any]) -> Any:
        """The JSON value of a file; made and written where the file is not there."""
        file = self.out / name
        if not file.exists():
            checkpoint.write_atomically(file, _json(make()))
        return json.loads(file.read_text())

    def _module(self, images: data.Images) -> tuple[nn.Module, Genotype | None]:
        s = self.settings
        if s.network is not None:
            module = _given_network(s.network, images)
            return quantise(module, s.bits).to(self.device), None
        shape = Shape(s.layers, s.channels, images.classes, images.image)
        genotype = Genotype.of(s.genotype or self._once("genotype.json", lambda: self._search(shape, images).as_dict()))
        checkpoint.seed_all(1000 * s.seed + _TRAIN_SEED)
        return quantise(Network(genotype, shape), s.bits).to(self.device), genotype

    def _search(self, shape: Shape, images: data.Images) -> Genotype:
        s = self.settings
        ask = HARDWARE[s.hardware]
        cost = ask(s.machine.arch, shape, s.metric, s.machine.overrides()) if ask and s.search.hardware else None
        checkpoint.seed_all(1000 * s.seed + _SEARCH_SEED)
        supernet = quantise(Supernet(shape, s.partial), s.bits).to(self.device)
        assert isinstance(supernet, Supernet)
        return Searcher(supernet, images, s.search, cost).run(path=self.out / "search.pt", seconds=self.seconds,
                                                              progress=self.progress)

    def _train(self, module: nn.Module, images: data.Images) -> None:
        checkpoint.seed_all(1000 * self.settings.seed + _TRAIN_SEED)
        if self.settings.training.epochs == 0:
            calibrate(module, images.calibration())
        fit(module, images, self.settings.training, path=self.out / "train.pt", seconds=self.seconds, progress=self.progress)

    def _report(self, module: nn.Module, genotype: Genotype | None, images: data.Images) -> dict[str, Any]:
        network = self.out / "network.onnx"
        checkpoint.write_atomically(network, export(module, images.image, "network"))
        for name, values in (("test-x.npy", images.test_x), ("test-y.npy", images.test_y)):
            _save_array(self.out / name, values.numpy())

        def make() -> dict[str, Any]:
            self.progress("simulate", 0, 1)
            machine = measure(self.settings.machine, str(network), str(self.out / "test-x.npy"), str(self.out / "test-y.npy"))
            self.progress("simulate", 1, 1)
            return {"genotype": genotype.as_dict() if genotype else None, "parameters": parameters_of(module),
                    "macs": macs_of(module, images.image), "train_images": len(images.train_x),
                    "top1_pytorch": accuracy(integer_module(module), images.test_x, images.test_y), "machine": machine}

        report = self._once("report.json", make)
        checkpoint.write_atomically(self.out / "report.md", text_of(report).encode())
        return report


def _given_network(given: str, images: data.Images) -> nn.Module:
    """The network of an ONNX file, or of a name of `bitline workload list`."""
    if pathlib.Path(given).exists():
        module = onnx_module.load(given)
    else:
        with tempfile.TemporaryDirectory(prefix="bitline-nas-") as folder:
            file = pathlib.Path(folder) / "network.onnx"
            done = subprocess.run([program_path(), "workload", "make", given, "-o", str(file)], stdin=subprocess.DEVNULL,
                                  capture_output=True, text=True, check=False)
            if done.returncode:
                raise ValueError(f"network: no file '{given}', and " + done.stderr.strip().removeprefix("bitline: error: "))
            module = onnx_module.load(file)
    if module.image != images.image:
        raise ValueError(f"{given}: takes images of {module.image}; allowed with these data: {images.image}")
    return module


@contextlib.contextmanager
def _alone(folder: pathlib.Path) -> Iterator[None]:
    """Refuses a second process in the same folder; the lock ends with the process, however it ends."""
    with open(folder / ".lock", "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ValueError(f"{folder}: another run works here; remedy: wait for it, or give another --out") from None
        yield


def _differences(theirs: dict[str, Any], mine: dict[str, Any], prefix: str = "") -> Iterator[str]:
    for key in sorted(set(theirs) | set(mine)):
        a, b = theirs.get(key), mine.get(key)
        if isinstance(a, dict) and isinstance(b, dict) and key != "genotype":
            yield from _differences(a, b, f"{prefix}{key}.")
        elif a != b:
            yield f"{prefix}{key} {a}, now {b}"


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=1) + "\n").encode()


def _save_array(path: pathlib.Path, values: numpy.ndarray) -> None:
    buffer = io.BytesIO()
    numpy.save(buffer, values)
    checkpoint.write_atomically(path, buffer.getvalue())
