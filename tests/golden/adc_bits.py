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

import accuracy_figure

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
NETWORKS = ("digits-cnn", "digits-mlp")
BITS = range(1, 10)
COLUMNS = ("network", "adc_bits", "top1", "float_top1", "clipped_share")


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
    def share(bits):
        return (bits - BITS[0]) / (BITS[-1] - BITS[0])
    parts = []
    for index, network in enumerate(NETWORKS):
        points = [(share(row[1]), row[2]) for row in rows if row[0] == network]
        parts += [accuracy_figure.line(points, accuracy_figure.COLOURS[index]),
                  accuracy_figure.legend(330, index, f"{network}, top-1")]
    return accuracy_figure.svg({str(b): share(b) for b in BITS}, "ADC bits", parts)


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
