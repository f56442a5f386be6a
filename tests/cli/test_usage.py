# SPDX-License-Identifier: Apache-2.0
"""Wrong commands and wrong arrays: exit code 2, a message that names the option; help and version on stdout."""

import pickle
import resource
import signal
import subprocess
import sys

import numpy as np
import pytest

import cli

RUN = ["run", "--arch", cli.ISAAC_8BIT, "--network", cli.MLP]


@pytest.mark.parametrize("arguments", [
    [], ["fly"], ["run", "--fly"], ["run"], ["run", "--arch", cli.ISAAC], ["run", "--network", cli.MLP],
    [*RUN, "--mode", "magic"], [*RUN, "--batch", "many"], [*RUN, "--batch", "0"], [*RUN, "--batch", "-1"],
    [*RUN, "--batch", "1.5"], [*RUN, "--batch", "99999999999999999999"], [*RUN, "--timeout", "-1"],
    [*RUN, "--labels", cli.TEST_Y], [*RUN, "extra"], ["infer", "--network", cli.MLP], ["workload", "make", "no-such"],
    ["check"], ["map", "--arch", cli.ISAAC], ["slices", "--network", cli.MLP]],
    ids=lambda a: " ".join(str(x).split("/")[-1] for x in a) or "nothing")
def test_a_wrong_command(arguments):
    cli.refuse(cli.USAGE, *arguments)


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["run", "--help"], ["check", "--help"]])
def test_help_and_version_go_to_stdout(arguments):
    answer = cli.succeed(*arguments)
    assert answer.out.strip() and answer.err == ""


def array_file(path, content):
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        np.save(path, content, allow_pickle=True)
    return path


def npy(descr="'<f4'", shape="(1, 1, 8, 8)", data=b"\0" * 256):
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}".encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + data


IMAGES = {
    "not an array": b"hello",
    "empty": b"",
    "cut short": npy(data=b"\0" * 100),
    "claims terabytes": npy(shape="(1000000, 1000000, 8, 8)"),
    "negative size": npy(shape="(-1, 1, 8, 8)"),
    "product of sizes overflows": npy(shape="(4294967296, 4294967296, 8, 8)"),
    "pickled objects": np.array([{"a": 1}], dtype=object),
    "a pickle": pickle.dumps([1, 2, 3]),
    "text": np.array([["a", "b"]]),
    "other channels": np.zeros((2, 3, 8, 8), np.float32),
    "other rank": np.zeros((2, 64), np.float32),
    "no images": np.zeros((0, 1, 8, 8), np.float32),
    "not a number": np.full((1, 1, 8, 8), np.nan, np.float32),
    "infinite": np.full((1, 1, 8, 8), np.inf, np.float32),
}


@pytest.mark.parametrize("fault", IMAGES)
@pytest.mark.parametrize("option", ["--input", "--calibrate"])
def test_wrong_images(tmp_path, fault, option):
    path = array_file(tmp_path / "images.npy", IMAGES[fault])
    good = [] if option == "--input" else ["--input", cli.TEST_X]
    message = cli.refuse(cli.USAGE, *RUN, *good, option, path)
    assert "images.npy" in message and option in message


LABELS = {
    "fewer than images": np.zeros(359, np.int64),
    "more than images": np.zeros(361, np.int64),
    "a class that is not there": np.full(360, 10),
    "a negative class": np.full(360, -1),
    "not whole numbers": np.full(360, 0.5),
    "two-dimensional": np.zeros((360, 10), np.int64),
}


@pytest.mark.parametrize("fault", LABELS)
def test_wrong_labels(tmp_path, fault):
    path = array_file(tmp_path / "labels.npy", LABELS[fault])
    message = cli.refuse(cli.USAGE, *RUN, "--input", cli.TEST_X, "--labels", path)
    assert "labels.npy" in message or "--labels" in message


@pytest.mark.parametrize("option", ["--input", "--labels", "--calibrate"])
def test_arrays_that_are_not_there(tmp_path, option):
    good = [] if option == "--input" else ["--input", cli.TEST_X]
    assert "absent.npy" in cli.refuse(cli.USAGE, *RUN, *good, option, tmp_path / "absent.npy")


@pytest.mark.parametrize("option", ["--out", "--dump-outputs", "--dump-layers"])
@pytest.mark.parametrize("place", ["below a file", "/proc"])
def test_an_unwritable_folder(tmp_path, option, place):
    (tmp_path / "file").write_text("")
    folder = tmp_path / "file" / "results" if place == "below a file" else "/proc/bitline-results"
    message = cli.refuse(cli.USAGE, *RUN, "--input", cli.TEST_X, option, folder)
    assert option in message and str(folder) in message


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /dev/full")
def test_a_full_disk_is_an_error_and_not_a_short_result():
    """stdout on a full device: the report cannot be written, which must show in the exit code."""
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run([str(cli.BITLINE), *map(str, RUN), "--input", str(cli.TEST_X)], stdout=full,
                              stderr=subprocess.PIPE, check=False, timeout=120)
    assert done.returncode == cli.USAGE, done.stderr


@pytest.mark.parametrize("option", ["--out", "--dump-outputs", "--dump-layers"])
def test_a_disk_that_fills_up_leaves_no_half_file(tmp_path, option):
    """No file may grow beyond 100 bytes: whatever is there afterwards is whole, and under its own name."""
    def short_of_space():
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    done = subprocess.run([str(cli.BITLINE), *map(str, RUN), "--input", str(cli.TEST_X), option, str(tmp_path)],
                          capture_output=True, preexec_fn=short_of_space, check=False, timeout=120, text=True)
    assert done.returncode == cli.USAGE and "cannot be written" in done.stderr, done.stderr
    assert list(tmp_path.iterdir()) == []
