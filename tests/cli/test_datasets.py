# SPDX-License-Identifier: Apache-2.0
"""Image formats and whole data sets: the same digits in two formats, labels, the confusion matrix, memory."""

import json
import os
import struct
import subprocess

import numpy as np
import pytest

import cli
from tiny_onnx import model, node, save, tensor

SIXTEENTHS = ["--scale", "16"]  # the digits are whole sixteenths


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """The digits as an IDX file of images and one of labels."""
    folder = tmp_path_factory.mktemp("idx")
    x = np.rint(np.load(cli.TEST_X) * 16).astype("uint8")
    assert np.array_equal(x.astype("float32") / 16, np.load(cli.TEST_X))
    y = np.load(cli.TEST_Y).astype("uint8")
    images, labels = folder / "t10k-images-idx3-ubyte", folder / "t10k-labels-idx1-ubyte"
    images.write_bytes(struct.pack(">BBBBIII", 0, 0, 8, 3, len(x), 8, 8) + x.tobytes())
    labels.write_bytes(struct.pack(">BBBBI", 0, 0, 8, 1, len(y)) + y.tobytes())
    return images, labels


def test_idx_and_npy_give_the_same_result(tmp_path, digits):
    results = {}
    for name, data in {"npy": ["--input", cli.TEST_X, "--labels", cli.TEST_Y],
                       "idx": ["--input", digits[0], "--labels", digits[1], *SIXTEENTHS]}.items():
        out = cli.succeed("run", "--arch", cli.ISAAC_8BIT, "--network", cli.CNN, *data, "--json",
                          "--dump-outputs", tmp_path / name).out
        results[name] = {k: v for k, v in json.loads(out).items() if k != "wall_time_s"}
    assert results["npy"] == results["idx"]
    assert np.array_equal(np.load(tmp_path / "npy" / "logits.npy"), np.load(tmp_path / "idx" / "logits.npy"))


def test_the_confusion_matrix_is_that_of_the_dumped_outputs(tmp_path):
    result = cli.run_digits(tmp_path, "--set", "adc.resolution.policy=fixed", "--set", "adc.resolution.bits=4",
                            "--dump-outputs", tmp_path, arch=cli.ISAAC_8BIT)
    expected = np.zeros((10, 10), int)
    np.add.at(expected, (np.load(cli.TEST_Y), np.load(tmp_path / "logits.npy").argmax(1)), 1)
    confusion = np.array(result["accuracy"]["confusion"])
    assert np.array_equal(confusion, expected)
    assert np.trace(confusion) / confusion.sum() == result["accuracy"]["top1"]


def test_cifar_brings_its_labels(tmp_path):
    """Three records; the scores are the means of the channels, so the brightest channel is the class."""
    layers = [node("GlobalAveragePool", "pool", ["x"], ["p"]), node("Flatten", "flat", ["p"], ["f"]),
              node("Gemm", "fc", ["f", "w"], ["y"], transB=1)]
    eye = tensor("w", np.eye(10, 3))
    network = save(tmp_path / "channels.onnx", model(layers, {"x": ["N", 3, 32, 32]}, {"y": ["N", 10]}, [eye]))
    pixels = np.full((3, 3, 32, 32), 10, "uint8")
    for image, channel in enumerate([2, 0, 1]):
        pixels[image, channel] = 200
    data = tmp_path / "test_batch.bin"
    data.write_bytes(b"".join(bytes([label]) + p.tobytes() for label, p in zip([2, 0, 9], pixels)))
    answer = json.loads(cli.succeed("infer", "--network", network, "--input", data, "--json").out)
    assert answer["top1"] == [2, 0, 1] and answer["float_top1"] == pytest.approx(2 / 3)
    result = json.loads(cli.succeed("run", "--arch", cli.ISAAC_8BIT, "--network", network, "--input", data,
                                    "--mean", "0.1,0.1,0.1", "--std", "0.5", "--json").out)
    assert result["accuracy"]["images"] == 3 and result["accuracy"]["confusion"][9][1] == 1
    message = cli.refuse(cli.USAGE, "infer", "--network", network, "--input", data, "--mean", "1,2")
    assert "--mean" in message and "2 numbers" in message


def peak_memory(*arguments):
    """Bytes, of one call. AddressSanitizer keeps what is freed; little of it here."""
    child = subprocess.Popen([str(cli.BITLINE), *map(str, arguments)], stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL, env={**os.environ, "ASAN_OPTIONS": "quarantine_size_mb=1"})
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    assert child.returncode == 0
    return usage.ru_maxrss * 1024


def test_memory_does_not_grow_with_the_images(tmp_path):
    """Twelve times the images, all layers dumped: 100 MB of integers more on disk, not in memory."""
    x = np.load(cli.TEST_X)[:150]
    peaks = []
    for copies in (1, 12):
        np.save(tmp_path / "x.npy", np.concatenate([x] * copies))
        peaks.append(peak_memory("run", "--arch", cli.ISAAC_8BIT, "--network", cli.CNN, "--input",
                                 tmp_path / "x.npy", "--dump-layers", tmp_path / "dump", "--dump-outputs",
                                 tmp_path / "out", "--threads", 2))
    written = sum(f.stat().st_size for f in (tmp_path / "dump").glob("*.[xy].npy"))
    assert written > 80e6 and peaks[1] - peaks[0] < 25e6, (peaks, written)
