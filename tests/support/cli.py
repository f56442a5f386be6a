# SPDX-License-Identifier: Apache-2.0
"""Runs the command line as a user would. The program is $BITLINE, else the release build's."""

import dataclasses
import json
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
BITLINE = pathlib.Path(os.environ.get("BITLINE", ROOT / "build" / "release" / "bin" / "bitline"))
CONFIGS, WORKLOADS = ROOT / "configs", ROOT / "workloads"
ISAAC, ISAAC_8BIT, BITSLICE = (CONFIGS / f"{n}.yaml" for n in ("isaac", "isaac-8bit", "bitslice-l1"))
CNN, MLP = WORKLOADS / "digits-cnn.onnx", WORKLOADS / "digits-mlp.onnx"
TEST_X, TEST_Y = WORKLOADS / "digits-test-x.npy", WORKLOADS / "digits-test-y.npy"
CALIBRATION = WORKLOADS / "digits-calibration-x.npy"

OK, USAGE, CONFIG, NETWORK, MAPPING, SIMULATION, TIMEOUT = 0, 2, 3, 4, 5, 6, 7


@dataclasses.dataclass
class Answer:
    code: int
    out: str
    err: str


def bitline(*arguments, timeout=120, env=None, cwd=None):
    """One call. Whatever happens, it must end by itself with a documented exit code, not by a signal."""
    done = subprocess.run([str(BITLINE), *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=timeout, cwd=cwd, env={**os.environ, **(env or {})}, check=False)
    assert done.returncode in range(8) and done.returncode != 1, (done.returncode, arguments, done.stderr)
    return Answer(done.returncode, done.stdout, done.stderr)


def succeed(*arguments, **options):
    answer = bitline(*arguments, **options)
    assert answer.code == OK, answer.err
    return answer


def refuse(code, *arguments, **options):
    """A refusal says why on stderr, prints no result, and shows no C++ exception. Returns stderr."""
    answer = bitline(*arguments, **options)
    assert answer.code == code, answer
    assert answer.err.strip() and answer.out == ""
    for trace in ("terminate called", "std::", "what():", "Segmentation", "Sanitizer", "runtime error:"):
        assert trace not in answer.err, answer.err
    return answer.err


def run_digits(out, *arguments, arch=ISAAC, network=CNN, images=TEST_X, labels=TEST_Y, **options):
    """`bitline run` on the digits; the parsed result.json."""
    labelled = ["--labels", labels] if labels else []
    succeed("run", "--arch", arch, "--network", network, "--input", images, *labelled,
            "--calibrate", CALIBRATION, "--out", out, *arguments, **options)
    return json.loads((pathlib.Path(out) / "result.json").read_text())


def faults(tree, path=""):
    """(where, tree with one fault): every key of the objects of a JSON tree left out, of another type, and one key too many in each;
    of a list, its first entry stands for all."""
    def spoiled(change):
        copy = json.loads(json.dumps(tree))
        change(copy)
        return copy
    if isinstance(tree, dict):
        yield f"{path}.unknown", spoiled(lambda t: t.update(unknown=1))
        for key, value in tree.items():
            yield f"{path}.{key} absent", spoiled(lambda t, key=key: t.pop(key))
            yield f"{path}.{key} wrong", spoiled(lambda t, key=key: t.update({key: [{}]}))
            for where, faulty in faults(value, f"{path}.{key}"):
                yield where, spoiled(lambda t, key=key, faulty=faulty: t.update({key: faulty}))
    elif isinstance(tree, list) and tree and isinstance(tree[0], dict):
        for where, faulty in faults(tree[0], f"{path}[0]"):
            yield where, [faulty, *tree[1:]]
