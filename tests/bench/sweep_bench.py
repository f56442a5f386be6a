#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a sweep costs beside its simulations, what a second worker brings, and how fast its page answers.

    tests/bench/sweep_bench.py overhead [--points 1000]   the sweep against as many runs, and against what its workers computed
    tests/bench/sweep_bench.py workers [--rounds 5]       one worker and two, in turn; with other load on the machine: see "cores"
    tests/bench/sweep_bench.py page [--points 10000]      interactions with a page of that many points in headless Chromium

The program is $BITLINE, else the release build's. Times are of one machine at one moment: run it on a quiet one.
"""

import argparse
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BITLINE = os.environ.get("BITLINE", str(ROOT / "build/release/bin/bitline"))
CNN = f"""arch: {ROOT}/configs/isaac-8bit.yaml
network: {ROOT}/workloads/digits-cnn.onnx
input: {ROOT}/workloads/digits-test-x.npy
labels: {ROOT}/workloads/digits-test-y.npy
calibrate: {ROOT}/workloads/digits-calibration-x.npy
axes:
  crossbar.read_latency: {{from: 50 ns, to: 150 ns, steps: STEPS}}
"""
ANALYTIC = f"""arch: {ROOT}/configs/isaac-8bit.yaml
network: {ROOT}/workloads/digits-mlp.onnx
mode: analytic
sampling: {{method: sobol, points: STEPS}}
axes:
  crossbar.read_latency: {{from: 50 ns, to: 150 ns}}
  adc.rate: {{from: 500 MS/s, to: 2 GS/s, scale: log}}
  chip.clock: {{from: 5 MHz, to: 20 MHz}}
  mapping.replication: [none, balanced]
objectives: [energy_j, latency_s]
"""


def usage():
    """(wall, CPU) seconds so far, children included."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.perf_counter(), children.ru_utime + children.ru_stime


def timed(*words):
    """(wall, CPU) seconds of a command with all its processes."""
    before = usage()
    subprocess.run([BITLINE, *map(str, words)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return tuple(b - a for a, b in zip(before, usage()))


def timed_with_own(*words):
    """The same, and the CPU seconds of the command's first process alone."""
    before = usage()
    process = subprocess.Popen([BITLINE, *map(str, words)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    own = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    assert process.wait() == 0
    return (*(b - a for a, b in zip(before, usage())), own)


def write(folder, text, points):
    file = pathlib.Path(folder) / "sweep.yaml"
    file.write_text(text.replace("STEPS", str(points)))
    return file


def overhead(arguments):
    """CPU seconds: other load on the machine changes them little."""
    with tempfile.TemporaryDirectory() as folder:
        file = write(folder, CNN, arguments.points)
        wall, cpu, own = timed_with_own("sweep", file, "--out", f"{folder}/out", "--jobs", 1)
        results = [json.loads(p.read_text())["wall_time_s"]["total"] for p in pathlib.Path(folder, "out").glob("points/*/result.json")]
        assert len(results) == arguments.points
        listed = [json.loads(line)["axes"] for line in subprocess.run([BITLINE, "sweep", file, "--list", "--json"], check=True, text=True,
                                                                      capture_output=True).stdout.splitlines()]
        sample = listed[::max(1, len(listed) // arguments.runs)]
        runs = [timed("run", "--arch", ROOT / "configs/isaac-8bit.yaml", "--network", ROOT / "workloads/digits-cnn.onnx",
                      "--input", ROOT / "workloads/digits-test-x.npy", "--labels", ROOT / "workloads/digits-test-y.npy", "--calibrate",
                      ROOT / "workloads/digits-calibration-x.npy", "--threads", 1, "--out", f"{folder}/run", "--set",
                      "crossbar.read_latency=" + axes["crossbar.read_latency"]) for axes in sample]
        one = statistics.mean(r[1] for r in runs)
        print(f"{arguments.points} points, one worker: {wall:.2f} s wall, {cpu:.2f} s CPU, {1e3 * cpu / arguments.points:.2f} ms a point")
        print(f"bitline run of {len(runs)} of them: {1e3 * one:.2f} ms CPU each; {arguments.points} of them {one * arguments.points:.2f} s CPU")
        print(f"of it the process that deals points out, keeps and tabulates them: {own:.2f} s CPU, {100 * own / (cpu - own):.1f} % of its workers'")
        print(f"sweep against as many runs: {100 * (cpu / (one * arguments.points) - 1):+.1f} % CPU")
        print(f"sweep against the time in its simulations: {100 * (wall / sum(results) - 1):+.1f} % wall ({sum(results):.2f} s)")


def workers(arguments):
    """In turn, so that other load meets both alike. "cores": CPU seconds over wall seconds, what the machine gave."""
    found = {1: [], 2: []}
    with tempfile.TemporaryDirectory() as folder:
        file = write(folder, CNN, arguments.points)
        for n in range(arguments.rounds):
            for jobs in (1, 2):
                wall, cpu = timed("sweep", file, "--out", f"{folder}/{n}-{jobs}", "--jobs", jobs)
                found[jobs].append((wall, cpu))
                print(f"{jobs} workers: {wall:.2f} s wall, {cpu:.2f} s CPU, {cpu / wall:.2f} cores", flush=True)
    wall = {jobs: statistics.median(w for w, _ in of) for jobs, of in found.items()}
    best = {jobs: min(w for w, _ in of) for jobs, of in found.items()}
    print(f"two workers against one: {wall[1] / wall[2]:.2f}x (medians), {best[1] / best[2]:.2f}x (best of each)")


INTERACTIONS = [
    ("choose another figure across", "chart.choose('x', 'area_mm2')"),
    ("choose another figure up", "chart.choose('y', 'power_w')"),
    ("colour by a figure", "chart.choose('colour', 'latency_s')"),
    ("colour by an axis", "chart.choose('colour', 'mapping.replication')"),
    ("filter by a number", "input('crossbar.read_latency_s-low', '7e-8')"),
    ("filter by a choice", "select('mapping.replication', 'balanced')"),
    ("clear the filters", "press('Clear all')"),
    ("sort by a figure", "heading('energy_j')"),
    ("sort the other way", "heading('energy_j')"),
    ("turn a page", "document.getElementById('next').click()"),
    ("all figures", "document.getElementById('all-figures').click()"),
    ("choose a point", "bitline.sweep.choose(4321)"),
    ("go to the next mark", "key('ArrowRight')"),
    ("show a mark's figures", "hover()"),
]
SCRIPT = """
const chart = bitline.charts.get('scatter');
const fire = (element, name) => element.dispatchEvent(new Event(name, {bubbles: true}));
const input = (name, text) => { const e = document.getElementsByName(name)[0]; e.value = text; fire(e, 'input'); };
const select = (name, text) => { const e = document.getElementsByName(name)[0]; e.value = text; fire(e, 'change'); };
const press = (text) => [...document.querySelectorAll('button')].find((b) => b.textContent === text).click();
const heading = (name) => document.querySelector(`#table thead [data-column="${name}"]`).click();
const key = (name) => chart.plot.dispatchEvent(new KeyboardEvent('keydown', {key: name, bubbles: true}));
const hover = () => { const box = chart.plot.firstChild.firstChild.getBoundingClientRect();
  chart.plot.firstChild.firstChild.dispatchEvent(new MouseEvent('mousemove', {clientX: box.left + box.width / 2, clientY: box.top + box.height / 2, bubbles: true})); };
const start = performance.now();
ACTION;
const script = performance.now() - start;
requestAnimationFrame(() => { const channel = new MessageChannel(); channel.port1.onmessage = () => done([script, performance.now() - start]);
  channel.port2.postMessage(0); });
"""


def page(arguments):
    """From the event to the frame after it, script and drawing included."""
    sys.path.insert(0, str(ROOT / "tools" / "report"))
    import browser

    with tempfile.TemporaryDirectory() as folder:
        file = write(folder, ANALYTIC, arguments.points)
        wall, cpu = timed("sweep", file, "--out", f"{folder}/out", "--keep-results", "none", "--max-points", arguments.points)
        html = pathlib.Path(folder, "out", "index.html")
        print(f"{arguments.points} analytic points: {wall:.1f} s wall, {cpu:.1f} s CPU; index.html {html.stat().st_size / 1e6:.2f} MB")
        found = {}
        with browser.Browser() as opened:
            opened.command("Performance.enable", timeDomain="threadTicks")
            for _ in range(arguments.rounds):
                opened.open(html)
                for name, action in INTERACTIONS:
                    before = busy(opened)
                    script, frame = opened.wait(SCRIPT.replace("ACTION", action))
                    opened.settle()
                    found.setdefault(name, []).append((script, frame, busy(opened) - before))
            assert opened.messages() == []
        for name, of in found.items():
            script, frame, cpu = (statistics.median(values) for values in zip(*of))
            print(f"{name:<30} {cpu:6.1f} ms CPU; on the clock: script {script:6.1f} ms, with its frame {frame:6.1f} ms "
                  f"(medians of {len(of)}; worst {max(f for _, f, _ in of):.1f})")


def busy(opened):
    """Milliseconds of CPU that the page's thread has worked, script, style, layout and painting."""
    metrics = {m["name"]: m["value"] for m in opened.command("Performance.getMetrics")["metrics"]}
    return 1e3 * metrics["TaskDuration"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    kinds = parser.add_subparsers(dest="what", required=True)
    for name, function, points, rounds in (("overhead", overhead, 1000, 1), ("workers", workers, 100, 5), ("page", page, 10_000, 5)):
        kind = kinds.add_parser(name, help=function.__doc__)
        kind.add_argument("--points", type=int, default=points)
        kind.add_argument("--rounds", type=int, default=rounds)
        kind.add_argument("--runs", type=int, default=25, help="runs measured (overhead)")
        kind.set_defaults(function=function)
    arguments = parser.parse_args()
    arguments.function(arguments)


main()
