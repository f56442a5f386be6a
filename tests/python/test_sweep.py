# SPDX-License-Identifier: Apache-2.0
"""`bitline.sweep`: the same table on any executor as from the command line."""

import concurrent.futures
import pathlib

import pandas
import pytest

import bitline
import cli

SPEC = {"arch": str(cli.ISAAC_8BIT), "network": str(cli.MLP), "set": {"crossbar.active_rows": 64},
        "axes": {"mode": ["analytic", "cycle"], "crossbar.rows": [32, 64, 128],
                 "crossbar.read_latency": {"from": "50 ns", "to": "100 ns", "steps": 2}}}


@pytest.fixture(scope="module")
def by_command(tmp_path_factory):
    """The bytes of results.csv from the command line."""
    folder = tmp_path_factory.mktemp("command")
    import json

    (folder / "s.yaml").write_text(json.dumps(SPEC))
    cli.succeed("sweep", folder / "s.yaml", "--out", folder / "out")
    return (folder / "out" / "results.csv").read_bytes()


@pytest.fixture(params=["threads", "processes", "dask"])
def executor(request):
    if request.param == "dask":
        distributed = pytest.importorskip("distributed")
        with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
            with distributed.Client(cluster) as client, client.get_executor() as pool:
                yield pool
    else:
        kinds = {"threads": concurrent.futures.ThreadPoolExecutor, "processes": concurrent.futures.ProcessPoolExecutor}
        with kinds[request.param](2) as pool:
            yield pool


@pytest.mark.filterwarnings("ignore")  # Dask's own, of its event loop
def test_any_executor_gives_the_table_of_the_command_line(by_command, executor, tmp_path):
    frame = bitline.sweep(SPEC, executor=executor, out=tmp_path / "out")
    assert (tmp_path / "out" / "results.csv").read_bytes() == by_command
    assert (tmp_path / "out" / "points" / "0003" / "result.json").is_file() and (tmp_path / "out" / "index.html").is_file()
    assert frame.attrs == {"out": str(tmp_path / "out"), "objectives": ["min:energy_j", "min:latency_s", "min:area_mm2"]}


def test_the_frame_has_numbers_errors_and_the_front(by_command, tmp_path):
    frame = bitline.sweep(SPEC, jobs=2)
    assert frame.attrs["out"] is None and list(frame.index[:2]) == ["0001", "0002"] and len(frame) == 12
    assert set(frame["crossbar.read_latency_s"]) == {50e-9, 100e-9}
    bad = frame[frame["crossbar.rows"] == 32]  # fewer rows than are driven
    assert set(bad["error_kind"]) == {"config"} and bad["energy_j"].isna().all() and bad["front"].isna().all()
    good = frame[frame["error_kind"].isna()]
    assert len(good) == 8 and good["energy_j"].gt(0).all() and good["front"].any()
    (tmp_path / "results.csv").write_bytes(by_command)
    assert pandas.read_csv(tmp_path / "results.csv", dtype={"point": str})["energy_j"].tolist() == pytest.approx(
        frame["energy_j"].tolist(), nan_ok=True, rel=0)


def test_what_is_finished_is_not_evaluated_again(by_command, tmp_path):
    class Counting(concurrent.futures.ThreadPoolExecutor):
        def submit(self, *arguments, **named):
            self.submitted = getattr(self, "submitted", 0) + 1
            return super().submit(*arguments, **named)

    out = tmp_path / "out"
    with Counting(2) as pool:
        bitline.sweep(SPEC, executor=pool, out=out)
        first = pool.submitted
        journal = (out / "journal.jsonl").read_bytes().splitlines(keepends=True)
        (out / "journal.jsonl").write_bytes(b"".join(journal[:-1]))
        bitline.sweep(SPEC, executor=pool, out=out)
        assert first == 7 and pool.submitted == 8  # six simulations, the analytic points together; then the last one
        bitline.sweep(SPEC, executor=pool, out=out, retry_failed=True)
        assert pool.submitted == 8 + 3  # of the failed ones, two simulations and the analytic ones
    assert (out / "results.csv").read_bytes() == by_command


def test_a_worker_that_is_lost_costs_its_points_only(tmp_path):
    class Losing(concurrent.futures.ThreadPoolExecutor):
        def submit(self, function, program, text, base, numbers, options):
            if 7 in numbers:
                return super().submit(lambda: (_ for _ in ()).throw(RuntimeError("gone")))
            return super().submit(function, program, text, base, numbers, options)

    spec = {**SPEC, "axes": {**SPEC["axes"], "crossbar.rows": [64, 128, 256]}}
    with Losing(2) as pool:
        frame = bitline.sweep(spec, executor=pool)
    assert frame["error"].dropna().to_dict() == {"0007": "its worker was lost: gone"}


def test_errors_are_those_of_the_command_line(tmp_path):
    wrong = {**SPEC, "axes": {"crossbar.row": [64]}}
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        for executor in (None, pool):
            with pytest.raises(bitline.ConfigError, match="did you mean 'crossbar.rows'"):
                bitline.sweep(wrong, executor=executor)
            with pytest.raises(bitline.ConfigError, match="12 points; allowed: at most 3"):
                bitline.sweep(SPEC, executor=executor, max_points=3)
            with pytest.raises(bitline.ConfigError, match="cannot be read"):
                bitline.sweep(tmp_path / "none.yaml", executor=executor)
            bitline.sweep({**SPEC, "mode": "analytic", "axes": {"crossbar.rows": [64]}}, executor=executor, out=tmp_path / str(executor))
            with pytest.raises(bitline.UsageError, match="holds another sweep"):
                bitline.sweep({**SPEC, "axes": {"crossbar.rows": [64]}}, executor=executor, out=tmp_path / str(executor))
            with pytest.raises(bitline.UsageError, match="is no figure"):
                bitline.sweep(SPEC, executor=executor, objectives=["speed", "tops"])


def test_a_sweep_of_failures_is_a_table_of_errors():
    for executor in (None, concurrent.futures.ThreadPoolExecutor(1)):
        frame = bitline.sweep({**SPEC, "axes": {"crossbar.rows": [16, 32]}}, executor=executor)
        assert frame["error_kind"].tolist() == ["config", "config"]


def test_parquet_keeps_the_table_or_says_what_is_missing(tmp_path):
    frame = bitline.sweep({**SPEC, "mode": "analytic", "axes": {"crossbar.rows": [64, 128]}})
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        with pytest.raises(ImportError, match="pip install pyarrow"):
            bitline.to_parquet(frame, tmp_path / "t.parquet")
        return
    bitline.to_parquet(frame, tmp_path / "t.parquet")
    pandas.testing.assert_frame_equal(pandas.read_parquet(tmp_path / "t.parquet"), frame)


def test_paths_of_a_file_start_from_its_folder_on_any_executor(tmp_path):
    (tmp_path / "m.yaml").write_bytes(pathlib.Path(cli.ISAAC_8BIT).read_bytes())
    (tmp_path / "s.yaml").write_text(f"arch: m.yaml\nnetwork: {cli.MLP}\nmode: analytic\naxes: {{crossbar.read_latency: [100 ns, 120 ns]}}\n")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        pandas.testing.assert_frame_equal(bitline.sweep(tmp_path / "s.yaml", executor=pool), bitline.sweep(str(tmp_path / "s.yaml")))
