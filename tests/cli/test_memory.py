# SPDX-License-Identifier: Apache-2.0
"""Memory of a whole run on a network of real size."""

import os
import subprocess

import numpy as np

import cli


def test_resnet18_takes_less_than_500_mb_whatever_the_batch(tmp_path):
    cli.succeed("workload", "make", "resnet18", "-o", tmp_path / "resnet18.onnx")
    random = np.random.default_rng(1)
    np.save(tmp_path / "x.npy", random.standard_normal((6, 3, 224, 224), dtype=np.float32))
    np.save(tmp_path / "one.npy", random.standard_normal((1, 3, 224, 224), dtype=np.float32))
    for batch in (1, 6):
        child = subprocess.Popen([str(cli.BITLINE), "run", "--arch", str(cli.ISAAC_8BIT), "--network",
                                  str(tmp_path / "resnet18.onnx"), "--input", str(tmp_path / "x.npy"), "--calibrate",
                                  str(tmp_path / "one.npy"), "--set", "adc.resolution.policy=fixed", "--set",
                                  "adc.resolution.bits=6", "--batch", str(batch), "--threads", "2"],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        assert child.returncode == 0
        assert usage.ru_maxrss * 1024 < 500e6, batch
