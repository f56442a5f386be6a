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

import accuracy_figure

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
ENCODINGS = {
    "offset, flipped (ISAAC)": [],
    "differential": ["encoding.weights=differential", "encoding.flip=false", "ima.output_register.capacity=4 KiB"],
}
SIGMAS = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3)
CHIPS = 10
COLUMNS = ("encoding", "sigma", "seed", "top1", "output_rms_error")
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
    parts = []
    for index, (encoding, points) in enumerate(intervals(rows).items()):
        colour = accuracy_figure.COLOURS[index]
        parts.append(accuracy_figure.line([(sigma / SIGMAS[-1], mean) for sigma, mean, _ in points], colour))
        parts += [f'<path d="M{accuracy_figure.x(sigma / SIGMAS[-1]):.1f} {accuracy_figure.y(mean - half):.1f}'
                  f'V{accuracy_figure.y(mean + half):.1f}" stroke="{colour}" stroke-width="5" opacity="0.4"/>'
                  for sigma, mean, half in points]
        parts.append(accuracy_figure.legend(80, index, f"{encoding}, top-1 of {CHIPS} chips"))
    return accuracy_figure.svg({f"{s:g}": s / SIGMAS[-1] for s in SIGMAS}, "sigma of G (1 + sigma z)", parts)


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
