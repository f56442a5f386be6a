# SPDX-License-Identifier: Apache-2.0
"""`bitline sweep`: the same table however it was made, nothing finished is ever lost, errors stay with their points."""

import csv
import json
import os
import pty
import random
import signal
import subprocess
import time

import jsonschema
import pytest

import cli

SCHEMA = jsonschema.Draft202012Validator(json.loads((cli.ROOT / "tools" / "sweep" / "sweep.schema.json").read_text()))

MLP = f"arch: {cli.ISAAC_8BIT}\nnetwork: {cli.MLP}\n"
GRID = MLP + ("set: {crossbar.active_rows: 64}\naxes:\n  crossbar.read_latency: {from: 50 ns, to: 110 ns, steps: 4}\n"
              "  crossbar.rows: [64, 128, 256]\n")

# The second point takes minutes.
FAST_AND_SLOW = f"arch: {cli.ISAAC_8BIT}\nbatch: 64\naxes:\n  network: [{cli.MLP}, {{workload: resnet50}}]\n"


@pytest.fixture
def sweep_file(tmp_path):
    def write(text, name="sweep.yaml"):
        (tmp_path / name).write_text(text)
        return tmp_path / name
    return write


def rows(folder):
    with open(folder / "results.csv", newline="") as file:
        return list(csv.DictReader(file))


def figures(result):
    return {"latency_s": result["latency_s"]["image"], "energy_j": result["energy_j"]["total"], "area_mm2": result["area_mm2"]["total"],
            "crossbars": result["crossbars"]["used"], "adc_conversions": result["adc"]["conversions"]}


def test_each_point_is_the_run_with_its_settings(sweep_file, tmp_path):
    sweep = sweep_file(f"arch: {cli.ISAAC_8BIT}\nnetwork: {cli.CNN}\ninput: {cli.TEST_X}\nlabels: {cli.TEST_Y}\ncalibrate: {cli.CALIBRATION}\n"
                       "set: {adc.resolution.policy: fixed}\nbatch: 2\naxes:\n  adc.resolution.bits: [5, 7]\n")
    answer = cli.succeed("sweep", sweep, "--out", tmp_path / "out", "--jobs", 2)
    found = rows(tmp_path / "out")
    assert [r["adc.resolution.bits"] for r in found] == ["5", "7"]
    for row, bits in zip(found, (5, 7)):
        run = cli.run_digits(tmp_path / f"run{bits}", "--set", "adc.resolution.policy=fixed", "--set", f"adc.resolution.bits={bits}",
                             "--batch", 2, arch=cli.ISAAC_8BIT)
        assert {key: float(row[key]) for key in figures(run)} == figures(run)
        assert float(row["top1"]) == run["accuracy"]["top1"] and float(row["float_top1"]) == run["accuracy"]["float_top1"]
        kept = json.loads((tmp_path / "out" / "points" / row["point"] / "result.json").read_text())
        for tree in (run, kept):
            tree.pop("wall_time_s")
        assert kept["provenance"].pop("overrides") == ["adc.resolution.bits=" + str(bits), "adc.resolution.policy=fixed"]
        run["provenance"].pop("overrides")
        assert kept == run
    assert "on the Pareto front" in answer.out and max(map(len, answer.out.splitlines())) <= 80


def test_the_table_is_the_same_whatever_the_workers_and_the_interruptions(sweep_file, tmp_path):
    sweep = sweep_file(GRID + "mode: analytic\n")
    for jobs in (1, 3):
        cli.succeed("sweep", sweep, "--out", tmp_path / str(jobs), "--jobs", jobs)
    table = (tmp_path / "1" / "results.csv").read_bytes()
    assert (tmp_path / "3" / "results.csv").read_bytes() == table
    again = cli.succeed("sweep", sweep, "--out", tmp_path / "1", "--jobs", 2)
    assert (tmp_path / "1" / "results.csv").read_bytes() == table and "error" not in again.err
    journal = (tmp_path / "3" / "journal.jsonl").read_bytes()
    (tmp_path / "3" / "journal.jsonl").write_bytes(journal[:len(journal) // 2])
    cli.succeed("sweep", sweep, "--out", tmp_path / "3")
    assert (tmp_path / "3" / "results.csv").read_bytes() == table


def test_a_kill_at_any_moment_loses_nothing_that_was_finished(sweep_file, tmp_path):
    sweep = sweep_file(GRID)
    begun = time.monotonic()
    cli.succeed("sweep", sweep, "--out", tmp_path / "whole", "--jobs", 2)
    whole = time.monotonic() - begun
    table = (tmp_path / "whole" / "results.csv").read_bytes()
    out, moment = tmp_path / "killed", random.Random(5)
    journal, kills, kept = out / "journal.jsonl", 0, []
    for _ in range(100):
        process = subprocess.Popen([cli.BITLINE, "sweep", sweep, "--out", out, "--jobs", "2", "--quiet"], stdout=subprocess.DEVNULL)
        try:
            process.wait(whole * moment.uniform(0.03, 0.2) * (1 + kills / 8))  # longer, so that it ends on a slow machine, too
            break
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            kills += 1
        lines = journal.read_bytes().split(b"\n")[:-1] if journal.exists() else []
        assert lines[:len(kept)] == kept  # what was finished before stays
        kept = lines
    assert process.wait() == 0
    assert kills >= 2 and (out / "results.csv").read_bytes() == table
    points = [json.loads(line[9:])["point"] for line in journal.read_bytes().splitlines()[1:]]
    assert len(points) == len(set(points)) == 12  # none was evaluated twice
    assert not list(out.rglob("*.tmp.*"))


def test_an_interrupt_ends_cleanly_and_says_how_to_go_on(sweep_file, tmp_path):
    sweep = sweep_file(FAST_AND_SLOW)
    process = subprocess.Popen([cli.BITLINE, "sweep", sweep, "--out", tmp_path / "out", "--jobs", "1"], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not (tmp_path / "out" / "points" / "0001" / "result.json").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGINT and out == ""
    assert f"1 of 2 points are done and kept; to go on: bitline sweep {sweep} --out {tmp_path / 'out'}" in err
    assert not (tmp_path / "out" / "results.csv").exists()
    answer = cli.succeed("sweep", sweep, "--out", tmp_path / "out", "--timeout", 1)
    assert "1 of 2 points are there already" in answer.err
    assert [row["error_kind"] for row in rows(tmp_path / "out")] == ["", "timeout"]


def test_failed_points_are_kept_and_tried_again_only_on_request(sweep_file, tmp_path):
    sweep = sweep_file(MLP + "mode: analytic\naxes:\n  chip.tiles: [2, 168]\n  crossbar.active_rows: [64, 200]\n  chip.mesh_width: [1, 14]\n")
    cli.succeed("sweep", sweep, "--out", tmp_path / "out")
    found = rows(tmp_path / "out")
    kinds = {r["error_kind"] for r in found}
    assert "" in kinds and "config" in kinds and all((r["error"] != "") == (r["error_kind"] != "") == (r["energy_j"] == "") for r in found)
    tree = json.loads((tmp_path / "out" / "results.json").read_text())
    SCHEMA.validate(tree)
    tree["points"].sort(key=lambda point: "figures" in point)  # a failed one first, then one with figures
    for points in (tree["points"], tree["points"][::-1]):
        valid = [where for where, faulty in cli.faults({**tree, "points": points}) if SCHEMA.is_valid(faulty)]
        assert all(".axes." in where or ".figures." in where or where.endswith((".front absent", "figures.unknown")) for where in valid), valid
    journal = tmp_path / "out" / "journal.jsonl"
    before = len(journal.read_text().splitlines())
    cli.succeed("sweep", sweep, "--out", tmp_path / "out")
    assert len(journal.read_text().splitlines()) == before
    cli.succeed("sweep", sweep, "--out", tmp_path / "out", "--retry-failed")
    failed = sum(r["error_kind"] != "" for r in found)
    assert len(journal.read_text().splitlines()) == before + failed > before
    assert rows(tmp_path / "out") == found


def test_if_all_points_fail_the_exit_code_says_so(sweep_file, tmp_path):
    sweep = sweep_file(MLP + "axes:\n  chip.tiles: [1]\n  tile.imas: [1]\n  chip.mesh_width: [1]\n  mapping.oversize: [error]\n")
    answer = cli.bitline("sweep", sweep, "--out", tmp_path / "out")
    assert answer.code == cli.MAPPING and "1 of 1 points failed" in answer.out
    assert rows(tmp_path / "out")[0]["error_kind"] == "mapping"


def test_a_point_that_takes_too_long_is_a_failed_point(sweep_file, tmp_path):
    sweep = sweep_file(FAST_AND_SLOW)
    start = time.monotonic()
    cli.succeed("sweep", sweep, "--out", tmp_path / "out", "--timeout", 5, "--jobs", 1)
    fast, slow = rows(tmp_path / "out")
    assert slow["error_kind"] == "timeout" and fast["error_kind"] == "", (slow, fast)
    assert time.monotonic() - start < 60


def test_points_alone_and_lists_say_the_same(sweep_file, tmp_path):
    sweep = sweep_file(GRID + "mode: analytic\n")
    listed = [json.loads(line) for line in cli.succeed("sweep", sweep, "--list", "--json").out.splitlines()]
    assert len(listed) == 12 and listed[1] == {"point": "0002", "axes": {"crossbar.read_latency": "50 ns", "crossbar.rows": "128"}}
    assert "0002  crossbar.read_latency=50 ns  crossbar.rows=128" in cli.succeed("sweep", sweep, "--list").out
    cli.succeed("sweep", sweep, "--out", tmp_path / "out", "--json")
    table = {r["point"]: r for r in rows(tmp_path / "out")}
    alone = [json.loads(line) for line in cli.succeed("sweep", sweep, "--points", "2,4-5").out.splitlines()]
    assert sorted(p["point"] for p in alone) == ["0002", "0004", "0005"]
    for point in alone:
        assert point["figures"]["energy_j"] == float(table[point["point"]]["energy_j"])
        assert json.loads(point["result"])["energy_j"]["total"] == point["figures"]["energy_j"]


def test_generated_networks_and_modes_are_axes(sweep_file, tmp_path):
    sweep = sweep_file(f"arch: {cli.ISAAC_8BIT}\nmode: analytic\nseed: 3\naxes:\n  network: [{{workload: lenet5}}, "
                       "{genotype: DARTS_V2, layers: 3, channels: 4, label: small}]\n  mapping.replication: [none, balanced]\n")
    answer = cli.bitline("sweep", sweep, "--out", tmp_path / "out")
    if "is no workload" in answer.err:
        pytest.skip(answer.err)
    assert answer.code == cli.OK, answer.err
    cli.succeed("workload", "make", "darts", "--genotype", "DARTS_V2", "--layers", 3, "--channels", 4, "--seed", 3, "-o", tmp_path / "d.onnx")
    run = json.loads(cli.succeed("run", "--mode", "analytic", "--arch", cli.ISAAC_8BIT, "--network", tmp_path / "d.onnx", "--json").out)
    small = rows(tmp_path / "out")[2]
    assert small["network"] == "small" and {key: float(small[key]) for key in figures(run)} == figures(run)


def test_every_key_of_the_machine_can_be_an_axis(sweep_file, tmp_path):
    run = json.loads(cli.succeed("run", "--mode", "analytic", "--arch", cli.ISAAC_8BIT, "--network", cli.MLP, "--json").out)
    config = {key: constant["value"] for key, constant in run["provenance"]["config"].items()}
    assert len(config) > 150
    # A point that says what the machine says anyway, for each key; and, in a second sweep, all of them as axes of a grid.
    listed = sweep_file(MLP + "mode: analytic\npoints:\n" + "".join(f"  - {{{key}: {value}}}\n" for key, value in config.items()), "list.yaml")
    cli.succeed("sweep", listed, "--out", tmp_path / "out", "--reports", "none")
    table = rows(tmp_path / "out")
    assert len(table) == len(config) and [r["error"] for r in table] == [""] * len(config)
    for row, key in zip(table, config):
        assert {name: float(row[name]) for name in figures(run)} == figures(run), key
    grid = sweep_file(MLP + "mode: analytic\naxes:\n" + "".join(f"  {key}: [{value}]\n" for key, value in config.items()), "grid.yaml")
    point = json.loads(cli.succeed("sweep", grid, "--list", "--json").out)
    assert set(point["axes"]) == set(config)
    assert float(cli.succeed("sweep", grid, "--points", "1").out.split('"energy_j":')[1].split(",")[0]) == run["energy_j"]["total"]


def test_progress_is_for_terminals_only(sweep_file, tmp_path):
    sweep = sweep_file(GRID.replace("steps: 4", "steps: 60"))  # longer than it takes until the line is drawn again
    master, slave = pty.openpty()
    with os.fdopen(master, "rb", buffering=0) as terminal:
        process = subprocess.Popen([cli.BITLINE, "sweep", sweep, "--out", tmp_path / "a", "--jobs", "1"], stdout=subprocess.DEVNULL, stderr=slave)
        os.close(slave)
        seen = b""
        try:
            while piece := terminal.read(4096):
                seen += piece
        except OSError:  # Linux ends a terminal that nobody writes to like this
            pass
        assert process.wait() == 0
    assert b"/180 points" in seen and b" left" in seen and seen.count(b"\r") > 1
    answer = cli.succeed("sweep", sweep_file(GRID), "--out", tmp_path / "b")
    assert "/12 points" not in answer.err and "\r" not in answer.err
    assert "/12 points" not in answer.out


def test_only_the_table_is_kept_on_request(sweep_file, tmp_path):
    cli.succeed("sweep", sweep_file(GRID + "mode: analytic\n"), "--out", tmp_path / "out", "--keep-results", "none")
    assert len(rows(tmp_path / "out")) == 12 and not (tmp_path / "out" / "points").exists()


def test_reports_are_made_of_the_front_unless_others_are_asked_for(sweep_file, tmp_path):
    sweep, out = sweep_file(GRID + "mode: analytic\n"), tmp_path / "out"
    made = lambda: {path.parent.name for path in out.glob("points/*/report.html")}  # noqa: E731
    cli.succeed("sweep", sweep, "--out", out, "--reports", "none")
    assert made() == set()
    cli.succeed("sweep", sweep, "--out", out)
    assert made() == {r["point"] for r in rows(out) if r["front"] == "1"} != {r["point"] for r in rows(out)}
    cli.succeed("sweep", sweep, "--out", out, "--reports", "all")
    assert made() == {r["point"] for r in rows(out)}
    page = (out / "index.html").read_text()
    reports = json.loads(page[page.index('id="data">') + len('id="data">'):].partition("</script>")[0])["reports"]
    assert reports == list(range(12))


# --- refusals -----------------------------------------------------------------------------------------------------------

def test_another_sweep_in_the_folder_is_refused(sweep_file, tmp_path):
    cli.succeed("sweep", sweep_file(GRID + "mode: analytic\n"), "--out", tmp_path / "out")
    table = (tmp_path / "out" / "results.csv").read_bytes()
    other = sweep_file(GRID.replace("110 ns", "130 ns") + "mode: analytic\n")
    err = cli.refuse(cli.USAGE, "sweep", other, "--out", tmp_path / "out")
    assert "holds another sweep; different: points" in err and "choose another folder" in err
    assert (tmp_path / "out" / "results.csv").read_bytes() == table


def test_a_machine_that_changed_is_another_sweep(sweep_file, tmp_path):
    machine = tmp_path / "m.yaml"
    machine.write_bytes(cli.ISAAC_8BIT.read_bytes())
    sweep = sweep_file(GRID.replace(str(cli.ISAAC_8BIT), "m.yaml") + "mode: analytic\n")
    cli.succeed("sweep", sweep, "--out", tmp_path / "out")
    machine.write_text(machine.read_text() + "# a remark\n")
    assert "different: arch m.yaml" in cli.refuse(cli.USAGE, "sweep", sweep, "--out", tmp_path / "out")


def test_bad_files_and_arguments(sweep_file, tmp_path):
    good = sweep_file(GRID)
    err = cli.refuse(cli.CONFIG, "sweep", sweep_file(MLP + "axes: {adc.resolution.bit: [5], crossbar.rows: []}\n", "bad.yaml"),
                     "--out", tmp_path / "out")
    assert err.count("bitline: error: ") == 2 and "did you mean 'adc.resolution.bits'?" in err and "has no values" in err
    assert not (tmp_path / "out").exists()
    assert "cannot be read" in cli.refuse(cli.CONFIG, "sweep", tmp_path / "none.yaml", "--out", tmp_path / "out")
    assert "12 points; allowed: at most 11" in cli.refuse(cli.CONFIG, "sweep", good, "--out", tmp_path / "out", "--max-points", 11)
    assert "--out: is missing" in cli.refuse(cli.USAGE, "sweep", good)
    assert "is no figure" in cli.refuse(cli.USAGE, "sweep", good, "--out", tmp_path / "out", "--objectives", "speed,area_mm2")
    assert "is no point" in cli.refuse(cli.USAGE, "sweep", good, "--points", "13")
    (tmp_path / "file").write_text("")
    assert "--out" in cli.refuse(cli.USAGE, "sweep", good, "--out", tmp_path / "file")
    missing = sweep_file(GRID.replace(str(cli.MLP), "gone.onnx"), "gone.yaml")
    assert "gone.onnx' cannot be read" in cli.refuse(cli.CONFIG, "sweep", missing, "--out", tmp_path / "out")
    broken = sweep_file(f"arch: {cli.TEST_Y}\nnetwork: {cli.MLP}\naxes: {{crossbar.rows: [64]}}\n", "broken.yaml")
    cli.refuse(cli.CONFIG, "sweep", broken, "--out", tmp_path / "out")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_refused(sweep_file, tmp_path):
    (tmp_path / "closed").mkdir(mode=0o500)
    assert "cannot be written" in cli.refuse(cli.USAGE, "sweep", sweep_file(GRID), "--out", tmp_path / "closed")


def test_no_figure_is_asked_for_that_no_point_has(sweep_file, tmp_path):
    sweep = sweep_file(MLP + "mode: analytic\naxes: {crossbar.rows: [64, 128]}\n")
    err = cli.refuse(cli.USAGE, "sweep", sweep, "--out", tmp_path / "out", "--objectives", "top1,energy_j")
    assert "no point has top1" in err
    cli.succeed("sweep", sweep, "--out", tmp_path / "out")  # nothing is lost by it
