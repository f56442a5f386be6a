# SPDX-License-Identifier: Apache-2.0
"""`bitline fidelity` on a few networks; its statistics against SciPy's; the committed table (tests/golden/fidelity.csv)."""

import csv
import json

import numpy as np
import pytest

import cli

TABLE = cli.ROOT / "tests" / "golden" / "fidelity.csv"


def read(path):
    with open(path, encoding="utf-8") as file:
        return list(csv.DictReader(file))


def figures(rows, key):
    return np.array([float(r[key]) for r in rows]), np.array([float(r["analytic_" + key]) for r in rows])


def order(v):
    """1, 0 or -1 of all pairs; 0: less than 0.2 % apart."""
    x, y = v[:, None], v[None, :]
    return np.where(abs(x - y) <= 0.002 * np.maximum(x, y), 0, np.sign(x - y))[np.triu_indices(len(v), 1)]


def tau(a, b):
    """Kendall's tau-b of all pairs."""
    x, y = order(a), order(b)
    return (x * y).sum() / np.sqrt((x != 0).sum() * (y != 0).sum())


def test_a_few_networks(tmp_path):
    arguments = ["fidelity", "--small", "--quiet", "--arch", cli.ISAAC_8BIT, "--arch", f"{cli.BITSLICE},tile.imas=6",
                 "--batch", 2, "--csv", tmp_path / "f.csv"]
    summary = json.loads(cli.succeed(*arguments, "--json").out)
    rows = read(tmp_path / "f.csv")
    assert [s["chip"] for s in summary] == ["isaac-8bit", "bitslice-l1 imas=6", "all"]
    assert [s["networks"] for s in summary] == [3, 3, 6] and len(rows) == 6
    cycle, analytic = figures(rows, "latency_s")
    assert summary[2]["latency"]["tau"] == pytest.approx(tau(cycle, analytic), rel=1e-12)
    assert summary[2]["latency"]["error"] == pytest.approx(np.abs(analytic / cycle - 1).mean(), rel=1e-9)
    assert summary[2]["latency"]["worst"] == pytest.approx(np.abs(analytic / cycle - 1).max(), rel=1e-9)
    assert summary[2]["latency"]["error"] < 0.02 and summary[2]["interval"]["error"] < 0.02
    assert summary[2]["energy"]["measured_error"] < 1e-9 and summary[2]["area"]["worst"] == 0
    assert "tau: Kendall's" in cli.succeed(*arguments).out
    # Against the table's own simulations everything is the same, without simulating.
    again = cli.succeed(*arguments[:-1], tmp_path / "again.csv", "--json", "--against", tmp_path / "f.csv")
    assert json.loads(again.out) == summary and (tmp_path / "again.csv").read_bytes() == (tmp_path / "f.csv").read_bytes()
    assert "has no row bitslice-l1" in cli.refuse(cli.USAGE, "fidelity", "--small", "--arch", cli.BITSLICE, "--against", tmp_path / "f.csv")
    assert "no column" in cli.refuse(cli.USAGE, *arguments, "--against", cli.ROOT / "README.md")


def test_the_committed_table_meets_the_targets():
    rows = read(TABLE)
    assert len({r["network"] for r in rows}) >= 200 and len({r["chip"] for r in rows}) == 4
    for key in ("latency_s", "interval_s"):
        cycle, analytic = figures(rows, key)
        assert tau(cycle, analytic) >= 0.98 and np.abs(analytic / cycle - 1).mean() <= 0.03
    energy, factors = figures(rows, "energy_j")
    assert np.abs(factors / energy - 1).mean() <= 0.01
    measured = np.array([float(r["measured_energy_j"]) for r in rows])
    assert np.abs(measured / energy - 1).max() <= 0.01
    area, same = figures(rows, "area_mm2")
    assert (area == same).all()


@pytest.mark.parametrize("arguments, code, said", [
    ([], cli.USAGE, "--arch"), (["--arch", "none.yaml"], cli.CONFIG, "none.yaml"),
    (["--arch", f"{cli.ISAAC},chip.tilse=3"], cli.CONFIG, "chip.tilse"), (["--arch", cli.ISAAC, "--batch", 1], cli.USAGE, "--batch"),
])
def test_wrong_use(arguments, code, said):
    assert said in cli.refuse(code, "fidelity", "--small", *arguments)
