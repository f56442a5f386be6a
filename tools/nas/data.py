# SPDX-License-Identifier: Apache-2.0
"""Images to train on: scikit-learn's bundled digits, and CIFAR-10 in its binary format."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Iterator

import numpy
import torch
from torch import Tensor
from torch.nn import functional

# As in workloads/train_digits.py: the held-out images are those of workloads/digits-test-x.npy.
_DIGITS_SEED, _DIGITS_TEST = 7, 360
_CALIBRATION = 64

_CIFAR_TRAIN = tuple(f"data_batch_{i}.bin" for i in range(1, 6))
_CIFAR_TEST = "test_batch.bin"
_CIFAR_IMAGE = (3, 32, 32)
_CIFAR_RECORD = 1 + 3 * 32 * 32
CIFAR_MEAN, CIFAR_STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)


@dataclasses.dataclass(frozen=True)
class Images:
    """Float32 images [N,C,H,W] and int64 labels [N] to train on and to judge by; never the same images in both."""

    name: str
    train_x: Tensor
    train_y: Tensor
    test_x: Tensor
    test_y: Tensor
    shift: int = 1  #: pixels by which training images are moved at random
    flip: bool = False  #: whether training images are mirrored at random
    classes: int = 10

    @property
    def image(self) -> tuple[int, int, int]:
        c, h, w = self.train_x.shape[1:]
        return int(c), int(h), int(w)

    def first(self, train: int | None, test: int | None) -> Images:
        """With at most so many images."""
        return dataclasses.replace(self, train_x=self.train_x[:train], train_y=self.train_y[:train],
                                   test_x=self.test_x[:test], test_y=self.test_y[:test])

    def to(self, device: torch.device) -> Images:
        moved = {name: getattr(self, name).to(device) for name in ("train_x", "train_y", "test_x", "test_y")}
        return dataclasses.replace(self, **moved)

    def calibration(self) -> Tensor:
        """The training images that input grids are taken from after training."""
        return self.train_x[:_CALIBRATION]


def load(given: str) -> Images:
    """`digits`, or `cifar10:FOLDER` with data_batch_1.bin ... data_batch_5.bin and test_batch.bin.

    Raises ValueError saying what is missing or wrong.
    """
    kind, _, folder = given.partition(":")
    if given == "digits":
        return digits()
    if kind == "cifar10" and folder:
        return cifar10(pathlib.Path(folder))
    raise ValueError(f"data: '{given}'; allowed: digits, cifar10:FOLDER")


def digits() -> Images:
    """1437 training and 360 held-out images [1,8,8] in 0 ... 1."""
    try:
        from sklearn.datasets import load_digits
        from sklearn.model_selection import train_test_split
    except ImportError as error:
        raise ValueError(f"data digits: {error}; remedy: install scikit-learn (Debian: python3-sklearn)") from None
    x, y = load_digits(return_X_y=True)
    x = (x / 16.0).astype(numpy.float32).reshape(-1, 1, 8, 8)
    train_x, test_x, train_y, test_y = map(torch.from_numpy, train_test_split(
        x, y.astype(numpy.int64), test_size=_DIGITS_TEST, stratify=y, random_state=_DIGITS_SEED))
    return Images("digits", train_x, train_y, test_x, test_y)


def cifar10(folder: pathlib.Path) -> Images:
    """CIFAR-10's binary files, normalised per channel. Any number of records a file."""
    missing = [name for name in (*_CIFAR_TRAIN, _CIFAR_TEST) if not (folder / name).is_file()]
    if missing:
        raise ValueError(f"{folder}: has no {', '.join(missing)}; remedy: unpack cifar-10-binary.tar.gz there")
    parts = [_read_cifar(folder / name) for name in _CIFAR_TRAIN]
    test_x, test_y = _read_cifar(folder / _CIFAR_TEST)
    return Images("cifar10", torch.cat([x for x, _ in parts]), torch.cat([y for _, y in parts]), test_x, test_y, shift=4, flip=True)


def _read_cifar(path: pathlib.Path) -> tuple[Tensor, Tensor]:
    data = numpy.fromfile(path, numpy.uint8)
    if data.size == 0 or data.size % _CIFAR_RECORD:
        raise ValueError(f"{path}: {data.size} bytes; allowed: a multiple of {_CIFAR_RECORD} (a label and 3x32x32 pixels each)")
    records = torch.from_numpy(data.reshape(-1, _CIFAR_RECORD))
    labels = records[:, 0].long()
    if int(labels.max()) > 9:
        raise ValueError(f"{path}: label {int(labels.max())} of record {int(labels.argmax())}; allowed: 0 to 9")
    pixels = records[:, 1:].reshape(-1, *_CIFAR_IMAGE).float().div_(255.0)
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (CIFAR_MEAN, CIFAR_STD))
    return pixels.sub_(mean).div_(std), labels


def batches(x: Tensor, y: Tensor, size: int) -> Iterator[tuple[Tensor, Tensor]]:
    """All images once, in random order (of torch's generator of the CPU); a remainder of more than one image is a batch too."""
    order = torch.randperm(len(x)).to(x.device)
    for start in range(0, len(x), size):
        chosen = order[start:start + size]
        if len(chosen) > 1 or len(x) == 1:
            yield x[chosen], y[chosen]


def augment(x: Tensor, shift: int, flip: bool) -> Tensor:
    """Half of the images moved by up to `shift` pixels in either direction, zeros moving in; half of them mirrored."""
    n, c, h, w = x.shape
    if shift:
        offsets = torch.randint(0, 2 * shift + 1, (2, n))
        offsets[:, torch.rand(n) < 0.5] = shift
        rows = (offsets[0, :, None] + torch.arange(h)).to(x.device)
        cols = (offsets[1, :, None] + torch.arange(w)).to(x.device)
        padded = functional.pad(x, (shift,) * 4)
        x = padded[torch.arange(n, device=x.device)[:, None, None], :, rows[:, :, None], cols[:, None, :]].permute(0, 3, 1, 2)
    if flip:
        mirrored = (torch.rand(n) < 0.5).to(x.device)
        x = torch.where(mirrored[:, None, None, None], x.flip(3), x)
    return x
