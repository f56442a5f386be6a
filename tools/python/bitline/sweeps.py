# SPDX-License-Identifier: Apache-2.0
"""Sweeps: many runs over a design space, on this machine or on any executor."""

from __future__ import annotations

import concurrent.futures
import json
import os
import pathlib
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bitline import _core
from bitline.errors import BitlineError, SimulationError, UsageError, error_of, error_of_command
from bitline.program import program_path

#: Points that a task of an executor evaluates: a process is started for them, which takes as long as many analytic ones.
_ANALYTIC_CHUNK = 64


def sweep(spec: Any, *, out: str | os.PathLike[str] | None = None, executor: concurrent.futures.Executor | None = None,
          jobs: int | None = None, timeout: float | None = None, objectives: Sequence[str] | None = None,
          retry_failed: bool = False, keep_results: bool = True, reports: str = "none", max_points: int | None = None,
          program: str | os.PathLike[str] | None = None) -> Any:
    """`bitline sweep`: a pandas DataFrame with a row per point, indexed by its id.

    spec: path of a sweep file, or what such a file holds, as a mapping (relative paths then start from the working folder).
    out: the folder of the sweep, kept; what is finished there is not evaluated again. Without, the table is all that is left.
    executor: any concurrent.futures.Executor (threads, processes, Dask's client.get_executor()); its workers start `program`, and
    must see the files that the sweep names. Without, `jobs` processes of this machine (default: one per processor).
    timeout: seconds for each point. objectives: of the Pareto front, such as ["energy_j", "max:tops"].
    retry_failed: evaluate points that failed before once more. keep_results: also write points/ID/result.json.
    reports: "front" or "all" also writes points/ID/report.html.

    Columns: axes (in SI units, which their names tell), figures, `front` (whether no other point is better), error_kind, error.
    `frame.attrs` has "out" and "objectives". Raises a BitlineError for a bad sweep; points that fail are rows with an error.
    """
    if reports not in ("none", "front", "all"):
        raise UsageError(f"reports: is {reports!r}; allowed: none, front, all")
    with tempfile.TemporaryDirectory(prefix="bitline-") as scratch:
        file, base = _file_of(spec, scratch)
        folder = os.path.join(scratch, "out") if out is None else os.path.abspath(os.fspath(out))
        most = _core.most_sweep_points if max_points is None else max_points
        if executor is None:
            _by_command(program_path(program), file, base, folder, jobs, timeout, objectives, retry_failed, keep_results, reports, most)
        else:
            session = _made(lambda: _core.SweepSession(file, base, folder, most, keep_results, retry_failed))
            _on_executor(session, executor, program_path(program), file, base, timeout, keep_results, most)
            _made(lambda: session.finish(list(objectives or []), reports))
        frame = read_sweep(folder)
    frame.attrs["out"] = None if out is None else folder
    return frame


def read_sweep(folder: str | os.PathLike[str]) -> Any:
    """The table of a finished sweep's folder as a DataFrame, as sweep() returns it."""
    import pandas

    path = pathlib.Path(folder)
    frame = pandas.read_csv(path / "results.csv", dtype={"point": str, "error_kind": str, "error": str}, index_col="point",
                            keep_default_na=False, na_values=[""])
    frame["front"] = frame["front"].astype("boolean")
    tree = json.loads((path / "results.json").read_text(encoding="utf-8"))
    frame.attrs = {"out": str(path), "objectives": [f"{o['direction']}:{o['figure']}" for o in tree["objectives"]]}
    return frame


def to_parquet(frame: Any, path: str | os.PathLike[str]) -> None:
    """Writes a sweep's DataFrame as Parquet. Needs pyarrow or fastparquet; raises ImportError without them."""
    try:
        frame.to_parquet(path)
    except ImportError as error:
        raise ImportError("Parquet needs pyarrow or fastparquet: pip install pyarrow") from error


def _file_of(spec: Any, scratch: str) -> tuple[str, str]:
    """The sweep file and the folder that its paths start from."""
    if isinstance(spec, Mapping):
        path = os.path.join(scratch, "sweep.yaml")  # JSON is YAML
        pathlib.Path(path).write_text(json.dumps(spec, ensure_ascii=False, indent=1, default=_plain), encoding="utf-8")
        return path, os.getcwd()
    path = os.path.abspath(os.fspath(spec))
    return path, os.path.dirname(path)


def _plain(value: Any) -> Any:
    if hasattr(value, "item"):  # NumPy's numbers
        return value.item()
    if isinstance(value, (range, set, frozenset)):
        return list(value)
    return os.fspath(value)


def _made(make: Any) -> Any:
    """What make() returns; errors of the core as those of this package."""
    try:
        return make()
    except ValueError as error:
        raise error_of(json.loads(str(error))) from None


def _options(timeout: float | None, keep_results: bool, most: int) -> list[str]:
    return ["--keep-results", "all" if keep_results else "none", "--max-points", str(most),
            *([] if timeout is None else ["--timeout", str(timeout)])]


def _by_command(program: str, file: str, base: str, folder: str, jobs: int | None, timeout: float | None,
                objectives: Sequence[str] | None, retry_failed: bool, keep_results: bool, reports: str, most: int) -> None:
    words = [program, "sweep", file, "--base", base, "--out", folder, "--quiet", "--reports", reports, *_options(timeout, keep_results, most)]
    words += ["--jobs", str(jobs)] if jobs is not None else []
    words += ["--objectives", ",".join(objectives)] if objectives else []
    words += ["--retry-failed"] if retry_failed else []
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0 and not done.stdout:  # with a table, it only says that no point has results
        raise error_of_command(done.returncode, done.stderr)


def _chunks(pending: Sequence[tuple[int, bool]]) -> Iterator[list[int]]:
    """Numbers of points: simulations alone, analytic points together."""
    yield from ([number] for number, simulates in pending if simulates)
    analytic = [number for number, simulates in pending if not simulates]
    for at in range(0, len(analytic), _ANALYTIC_CHUNK):
        yield analytic[at:at + _ANALYTIC_CHUNK]


def _on_executor(session: Any, executor: concurrent.futures.Executor, program: str, file: str, base: str, timeout: float | None,
                 keep_results: bool, most: int) -> None:
    text = pathlib.Path(file).read_text(encoding="utf-8")
    points = session.points()
    options = _options(timeout, keep_results, most)
    futures = {executor.submit(_evaluate, program, text, base, numbers, options): numbers for numbers in _chunks(session.pending())}
    try:
        for future in concurrent.futures.as_completed(futures):
            numbers = futures[future]
            for number, line in zip(numbers, _lines(future, [points[n - 1] for n in numbers])):
                _made(lambda number=number, line=line: session.add(number, line))
    finally:
        for future in futures:
            future.cancel()
        session.commit()


def _lines(future: concurrent.futures.Future[list[str]], points: Sequence[str]) -> list[str]:
    """A line per point; where its worker was lost, one that says so."""
    try:
        return future.result()
    except BitlineError as error:
        failure = error
    except (OSError, RuntimeError) as error:  # a broken pool, a worker that was killed, a program that is not there
        failure = SimulationError(f"its worker was lost: {error}")
    kinds = {2: "usage", 3: "config", 4: "network", 5: "mapping", 7: "timeout"}
    record = {"code": failure.code, "kind": kinds.get(failure.code, "simulation"), "message": str(failure), "problems": []}
    return [json.dumps({"point": point, "error": record}) for point in points]


def _evaluate(program: str, text: str, base: str, numbers: Sequence[int], options: Sequence[str]) -> list[str]:
    """Runs in a worker: the lines of `bitline sweep --points`, in the order of the numbers."""
    with tempfile.TemporaryDirectory(prefix="bitline-") as folder:
        file = os.path.join(folder, "sweep.yaml")
        pathlib.Path(file).write_text(text, encoding="utf-8")
        done = subprocess.run([program, "sweep", file, "--base", base, "--points", ",".join(map(str, numbers)), "--jobs", "1",
                               *options], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    lines = done.stdout.splitlines()
    if done.returncode != 0 or len(lines) != len(numbers):
        raise error_of_command(done.returncode or 6, done.stderr or "a worker gave no answer")
    by_point = {int(json.loads(line)["point"]): line for line in lines}
    return [by_point[number] for number in numbers]
