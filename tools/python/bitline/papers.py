# SPDX-License-Identifier: Apache-2.0
"""Runs side by side, and what a paper takes from them: `bitline compare` and `bitline report --latex --figures --csv` as functions.

A run is the folder of `bitline run --out`, its result.json, or the tree that `simulate` returns.
"""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import sys
import tempfile
from collections.abc import Iterator, Mapping
from typing import Any, Union

from bitline.program import call, output_of

Run = Union[str, "os.PathLike[str]", Mapping[str, Any]]


@contextlib.contextmanager
def _files(runs: Mapping[str, Run]) -> Iterator[dict[str, str]]:
    """The path of each run by its name; trees are written down for the time being."""
    with tempfile.TemporaryDirectory(prefix="bitline-") as folder:
        paths = {}
        for name, run in runs.items():
            if isinstance(run, Mapping):
                file = pathlib.Path(folder) / name / "result.json"
                file.parent.mkdir()
                file.write_text(json.dumps(run), encoding="utf-8")
                paths[name] = str(file)
            else:
                paths[name] = os.fspath(run)
        yield paths


def compare(*runs: Run, baseline: Run | None = None, program: Any = None) -> dict[str, Any]:
    """`bitline compare`: ratios to the baseline (default: the first run), what changed, where the energy went.

    The tree of `--json`, "bitline.compare/1" (tools/compare/README.md). Trees are labelled run1, run2, ... Raises UsageError.
    """
    named: dict[str, Run] = {f"run{i + 1}": run for i, run in enumerate(runs)}
    at = next((name for name, run in named.items() if run is baseline), None)
    if baseline is not None and at is None:
        at = "baseline"
        named[at] = baseline
    with _files(named) as paths:
        words = ["compare", *(path for name, path in paths.items() if name != "baseline")]
        tree: dict[str, Any] = call([*words, *(["--baseline", paths[at]] if at else []), "--json"], program=program)
        return tree


def comparison_frame(comparison: Mapping[str, Any], table: str = "figures", figure: str = "values") -> Any:
    """A table of `compare` as a pandas DataFrame: a row per figure, component, layer or key, a column per run. Needs pandas.

    table: figures (figure: values, ratios), components (energy_j, energy_change, area_mm2), layers (energy_j, energy_change,
    latency_s, crossbars, adc_bits), settings or config (values).
    """
    import pandas

    rows = {row.get("key", row.get("name")): row[figure] for row in comparison[table]}
    return pandas.DataFrame.from_dict(rows, orient="index", columns=[run["label"] for run in comparison["runs"]])


def _report(option: str, run: Run, folder: str | os.PathLike[str], baseline: Run | None, words: list[str], program: Any,
            env: Mapping[str, str] | None = None) -> None:
    named: dict[str, Run] = {"run": run} if baseline is None else {"run": run, "baseline": baseline}
    with _files(named) as paths:
        against = ["--baseline", paths["baseline"]] if baseline is not None else []
        output_of(["report", paths["run"], option, os.fspath(folder), *against, *words], program=program, env=env)


def latex(run: Run, folder: str | os.PathLike[str], *, baseline: Run | None = None, program: Any = None) -> list[pathlib.Path]:
    """Writes LaTeX tables of a run, and against a baseline, into a folder; returns them. example.tex shows them all."""
    _report("--latex", run, folder, baseline, [], program)
    return sorted(pathlib.Path(folder).glob("*.tex"))


def figures(run: Run, folder: str | os.PathLike[str], *, baseline: Run | None = None, wide: bool = False,
            python: str | os.PathLike[str] | None = None, program: Any = None) -> list[pathlib.Path]:
    """Draws figures of a run, and against a baseline, as PDF and SVG into a folder; returns them.

    wide: two columns (7.16 in) instead of one (3.5 in); python: an interpreter with matplotlib (default: this one).
    """
    env = {"BITLINE_PYTHON": os.fspath(python) if python is not None else sys.executable}
    _report("--figures", run, folder, baseline, ["--wide"] if wide else [], program, env)
    return sorted(path for kind in ("*.pdf", "*.svg") for path in pathlib.Path(folder).glob(kind))


def csv_tables(run: Run, folder: str | os.PathLike[str], *, program: Any = None) -> list[pathlib.Path]:
    """Writes every table of a run as CSV into a folder; returns them."""
    _report("--csv", run, folder, None, [], program)
    return sorted(pathlib.Path(folder).glob("*.csv"))
