#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Accuracy of the digits networks against ADC bits: writes adc-bits.csv and adc-bits.svg beside this file.

    BITLINE=build/release/bin/bitline tests/golden/adc_bits.py

One `bitline run` per network and resolution, all slices alike, clipping, on configs/isaac-8bit.yaml: accuracy of the
360 test images, and the share of clipped conversions of the first.
"""

import csv
import json
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
NETWORKS = ("digits-cnn", "digits-mlp")
BITS = range(1, 10)
COLUMNS = ("network", "adc_bits", "top1", "float_top1", "clipped_share")
COLOURS = {"digits-cnn": "#1f6fb2", "digits-mlp": "#c2571a"}


def point(network, bits):
    """One row of the table."""
    program = os.environ.get("BITLINE", ROOT / "build" / "release" / "bin" / "bitline")
    data = ROOT / "workloads"
    done = subprocess.run(
        [str(program), "run", "--quiet", "--json", "--arch", ROOT / "configs" / "isaac-8bit.yaml",
         "--network", data / f"{network}.onnx", "--input", data / "digits-test-x.npy",
         "--labels", data / "digits-test-y.npy", "--calibrate", data / "digits-calibration-x.npy",
         "--set", "adc.resolution.policy=fixed", "--set", f"adc.resolution.bits={bits}"],
        capture_output=True, text=True, check=True)
    r = json.loads(done.stdout)
    return (network, bits, r["accuracy"]["top1"], r["accuracy"]["float_top1"],
            r["adc"]["clipped"] / r["adc"]["conversions"])


def figure(rows):
    """Accuracy over bits as SVG."""
    def x(bits):
        return 60 + (bits - BITS[0]) * 50

    def y(share):
        return 250 - share * 220
    parts = ['<svg xmlns="http://www.w3.org/2000/svg" width="520" height="300" font-family="sans-serif" '
             'font-size="12">', '<rect width="520" height="300" fill="white"/>']
    for percent in range(0, 101, 20):
        at = y(percent / 100)
        parts.append(f'<path d="M60 {at:g}H460" stroke="#ddd"/><text x="52" y="{at + 4:g}" '
                     f'text-anchor="end">{percent} %</text>')
    parts += [f'<text x="{x(b)}" y="270" text-anchor="middle">{b}</text>' for b in BITS]
    parts.append('<text x="260" y="290" text-anchor="middle">ADC bits</text>')
    for line, network in enumerate(NETWORKS):
        points = " ".join(f"{x(r[1])},{y(r[2]):.1f}" for r in rows if r[0] == network)
        parts.append(f'<polyline points="{points}" fill="none" stroke="{COLOURS[network]}" stroke-width="2"/>')
        parts.append(f'<text x="330" y="{200 + 18 * line}" fill="{COLOURS[network]}">{network}, top-1</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def measure():
    return [point(network, bits) for network in NETWORKS for bits in BITS]


def main():
    rows = measure()
    with open(HERE / "adc-bits.csv", "w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([COLUMNS, *rows])
    (HERE / "adc-bits.svg").write_text(figure(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
