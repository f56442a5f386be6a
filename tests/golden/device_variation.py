#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Accuracy of the digits CNN against programming variation: writes device-variation.csv and .svg beside this file.

    BITLINE=build/release/bin/bitline tests/golden/device_variation.py

One `bitline run --trials 10` per encoding and deviation on configs/isaac-8bit.yaml: ten chips, 360 test images each. A
cell's conductance is G (1 + sigma z).
"""

import csv
import json
import os
import pathlib
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
ENCODINGS = {
    "offset, flipped (ISAAC)": [],
    "differential": ["encoding.weights=differential", "encoding.flip=false", "ima.output_register.capacity=4 KiB"],
}
SIGMAS = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3)
CHIPS = 10
COLUMNS = ("encoding", "sigma", "seed", "top1", "output_rms_error")
COLOURS = ("#1f6fb2", "#c2571a")
STUDENT = 2.262    # 97.5th percentile of Student's t with nine degrees of freedom


def run(sets, trials=1):
    """The chips of a run."""
    program = os.environ.get("BITLINE", ROOT / "build" / "release" / "bin" / "bitline")
    data = ROOT / "workloads"
    done = subprocess.run(
        [str(program), "run", "--quiet", "--json", "--arch", ROOT / "configs" / "isaac-8bit.yaml",
         "--network", data / "digits-cnn.onnx", "--input", data / "digits-test-x.npy",
         "--labels", data / "digits-test-y.npy", "--calibrate", data / "digits-calibration-x.npy",
         "--trials", str(trials), *[word for s in sets for word in ("--set", s)]],
        capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["device"]["chips"]


def chips(encoding, sigma, seed=1, trials=CHIPS):
    """Rows of the table: the chips with `trials` seeds from `seed` on."""
    sets = [*ENCODINGS[encoding], "device.variation.model=normal", f"device.variation.sigma={sigma}",
            f"device.seed={seed}"]
    return [(encoding, sigma, chip["seed"], chip["top1"], chip["output_rms_error"]) for chip in run(sets, trials)]


def intervals(rows):
    """{encoding: [(sigma, mean, half of its 95 % confidence interval)]}"""
    found = {}
    for encoding in ENCODINGS:
        for sigma in SIGMAS:
            values = [row[3] for row in rows if row[:2] == (encoding, sigma)]
            half = STUDENT * statistics.stdev(values) / len(values)**0.5
            found.setdefault(encoding, []).append((sigma, statistics.mean(values), half))
    return found


def figure(rows):
    """Mean accuracy over sigma with its confidence interval as SVG."""
    def x(sigma):
        return 60 + sigma / SIGMAS[-1] * 400

    def y(share):
        return 250 - min(max(share, 0), 1) * 220
    parts = ['<svg xmlns="http://www.w3.org/2000/svg" width="520" height="300" font-family="sans-serif" '
             'font-size="12">', '<rect width="520" height="300" fill="white"/>']
    for percent in range(0, 101, 20):
        at = y(percent / 100)
        parts.append(f'<path d="M60 {at:g}H460" stroke="#ddd"/><text x="52" y="{at + 4:g}" '
                     f'text-anchor="end">{percent} %</text>')
    parts += [f'<text x="{x(s):.1f}" y="270" text-anchor="middle">{s:g}</text>' for s in SIGMAS]
    parts.append('<text x="260" y="290" text-anchor="middle">sigma of G (1 + sigma z)</text>')
    for line, (encoding, points) in enumerate(intervals(rows).items()):
        colour = COLOURS[line]
        joined = " ".join(f"{x(s):.1f},{y(mean):.1f}" for s, mean, _ in points)
        parts.append(f'<polyline points="{joined}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<path d="M{x(s):.1f} {y(mean - half):.1f}V{y(mean + half):.1f}" stroke="{colour}" '
                  'stroke-width="5" opacity="0.4"/>' for s, mean, half in points]
        parts.append(f'<text x="80" y="{200 + 18 * line}" fill="{colour}">{encoding}, top-1 of {CHIPS} chips</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def committed():
    """The rows of device-variation.csv."""
    with open(HERE / "device-variation.csv", newline="") as file:
        header, *rows = csv.reader(file)
    assert tuple(header) == COLUMNS
    return [(encoding, float(sigma), int(seed), float(top1), float(error))
            for encoding, sigma, seed, top1, error in rows]


def main():
    rows = [row for encoding in ENCODINGS for sigma in SIGMAS for row in chips(encoding, sigma)]
    with open(HERE / "device-variation.csv", "w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([COLUMNS, *rows])
    (HERE / "device-variation.svg").write_text(figure(rows))
    for encoding, points in intervals(rows).items():
        for sigma, mean, half in points:
            print(f"{encoding:24} {sigma:5} {100 * mean:6.2f} +- {100 * half:.2f} %")
    return 0


if __name__ == "__main__":
    sys.exit(main())
