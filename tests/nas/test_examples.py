# SPDX-License-Identifier: Apache-2.0
"""The example searches on tiny settings: what they report is what the oracle says, and they repeat or go on."""

import json
import math
import subprocess
import sys

import pytest

import bitline
import cli

TINY = ["--arch", str(cli.ISAAC_8BIT), "--channels", "2", "--epochs", "1", "--images", "48"]


def run(script, out, *arguments):
    done = subprocess.run([sys.executable, "-W", "ignore", str(cli.ROOT / "tools/nas/examples" / script), *TINY, *map(str, arguments),
                           "--out", str(out)], capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr
    rows = json.loads(out.read_text())
    assert len(done.stdout.splitlines()) == len(rows)
    oracle = bitline.CostOracle(cli.ISAAC_8BIT)
    for row in rows:
        cost = oracle.evaluate(bitline.Genotype(row["genotype"], layers=3, channels=2, resolution=8))
        assert (row["energy_j"], row["latency_s"]) == (cost.energy_j, cost.latency_s) and 0 <= row["accuracy"] <= 1
    return rows


def test_evolution(tmp_path):
    first, again, other = (run("evolution_search.py", tmp_path / f"{n}.json", "--networks", 7, "--population", 4, "--seed", seed)
                           for n, seed in enumerate((1, 1, 2)))
    assert first == again != other and len(first) == 5
    for row in first:
        assert row["fitness"] == pytest.approx(row["accuracy"] - 0.05 * math.log10(row["energy_j"] * row["latency_s"]))


def test_optuna_goes_on_where_it_was(tmp_path):
    optuna = pytest.importorskip("optuna")
    storage = f"sqlite:///{tmp_path}/search.db"
    for trials in (4, 3):
        front = run("optuna_search.py", tmp_path / "front.json", "--trials", trials, "--population", 3, "--storage", storage)
    study = optuna.load_study(study_name="accuracy and energy", storage=storage)
    assert len(study.trials) == 7
    points = [(row["accuracy"], row["energy_j"]) for row in front]
    assert set(points) <= {tuple(trial.values) for trial in study.trials}
    for accuracy, energy in points:  # no other trial is as good in one and better in the other
        assert not any(a >= accuracy and e <= energy and (a, e) != (accuracy, energy) for a, e in (t.values for t in study.trials))
