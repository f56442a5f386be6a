# SPDX-License-Identifier: Apache-2.0
"""`pip install .` builds a wheel that works in a clean virtual environment."""

import json
import os
import subprocess
import sys

import cli

SCRIPT = """
import json, sys, bitline
oracle = bitline.CostOracle(sys.argv[1])
cycle = bitline.CostOracle(sys.argv[1], "cycle")
print(json.dumps([oracle.evaluate(sys.argv[2]).dict(), cycle.evaluate(sys.argv[2]).dict(), bitline.__version__]))
"""


def test_in_a_clean_environment(tmp_path):
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "BITLINE")}
    environment.update(CC="cc", CXX="c++")  # as everything else is compiled: ccache has it
    def run(*words):
        done = subprocess.run([str(word) for word in words], cwd=tmp_path, env=environment, capture_output=True, text=True,
                              timeout=800, check=False)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout
    run(sys.executable, "-m", "venv", tmp_path / "venv")
    python = tmp_path / "venv" / "bin" / "python"
    run(python, "-m", "pip", "install", "--quiet", "--no-cache-dir", cli.ROOT)
    analytic, cycle, version = json.loads(run(python, "-c", SCRIPT, cli.ISAAC_8BIT, cli.CNN))
    assert analytic["fidelity"] == "analytic" and cycle["fidelity"] == "cycle"
    assert abs(analytic["latency_s"] / cycle["latency_s"] - 1) < 0.01
    run(python, "-c", "import importlib.util; assert importlib.util.find_spec('bitline.nas.pipeline')")
    assert version in run(tmp_path / "venv" / "bin" / "bitline", "--version")
