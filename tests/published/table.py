#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The table of published against simulated numbers, as Markdown.

    BITLINE=build/release/bin/bitline tests/published/table.py             print it
    BITLINE=build/release/bin/bitline tests/published/table.py --write     put it into the README

Every simulated number comes from a call of the program that this file makes. A difference above 5 % needs a reason.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
BITLINE = os.environ.get("BITLINE", str(ROOT / "build" / "release" / "bin" / "bitline"))
BEGIN, END = "<!-- published: made by tests/published/table.py -->\n", "<!-- published: end -->\n"
LARGEST_DIFFERENCE = 0.05

PUMA_PEAK = ("the published peak takes a product of each of the 2208 units in 1383 ns, the published unit needs 2304 ns; "
             "the configuration has the latter")
REASONS = {
    ("PUMA", "peak, TOPS"): PUMA_PEAK,
    ("PUMA", "TOPS/W"): PUMA_PEAK,
    ("PUMA", "TOPS/mm²"): PUMA_PEAK,
    ("RAELLA", "energy, resnet18, 8-bit ISAAC / RAELLA"):
        "speculation on 4-bit input slices is not modelled; without it the paper has 2.8",
    ("RAELLA", "throughput per area, resnet18, RAELLA / 8-bit ISAAC"):
        "with pooling spread over tiles RAELLA's shift-add units (86 % busy) and ISAAC's mesh (63 %) set the pace before the crossbars; "
        "the paper's range is 0.7 to 3.3",
}


def bitline(*arguments):
    done = subprocess.run([BITLINE, *map(str, arguments)], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                          check=False)
    if done.returncode != 0:
        sys.exit(done.stderr)
    return json.loads(done.stdout)


def machine(name, *settings):
    """Costs and peak of a configuration."""
    return bitline("check", ROOT / "configs" / f"{name}.yaml", "--json", *[f"--set={s}" for s in settings])["files"][0]


def isaac():
    chip = machine("isaac")
    peak, tile = chip["peak"], chip["tile"]
    area = 86.2  # mm2 that the paper's densities use; its own table adds up to 85.4
    yield "power of a tile, mW", 330, tile["power_w"]["total"] * 1e3
    yield "area of a tile, mm²", 0.372, tile["area_mm2"]["total"]
    yield "power of the chip, W", 65.8, chip["chip"]["power_w"]["total"]
    yield "area of the chip, mm²", 85.4, chip["chip"]["area_mm2"]["total"]
    yield "ADCs' share of a tile's power, %", 58, 100 * tile["power_w"]["by_component"]["adc"] / tile["power_w"]["total"]
    yield "ADCs' share of a tile's area, %", 31, 100 * tile["area_mm2"]["by_component"]["adc"] / tile["area_mm2"]["total"]
    yield "peak, GOPS", 41288, peak["gops"]
    yield "GOPS/W", 627.5, peak["gops_per_w"]
    yield "GOPS/mm² (of 86.2 mm²)", 478.95, peak["gops"] / area
    yield "MB/mm² (of 86.2 mm²)", 0.74, peak["storage_bytes"] / 1e6 / area


def bitslice_l1():
    """ADCs alone, one resolution for all slices; reads take no time, so that the ADCs bound."""
    def adcs(bits):
        chip = machine("bitslice-l1", f"adc.resolution.bits={bits}", "crossbar.read_latency=1 ns")
        return chip["chip"]["power_w"]["by_component"]["adc"], chip["peak"]["mvm_s"]
    power, time = adcs(8)
    for bits, less_power, less_time in ((1, 28.44, 8), (3, 14.22, 2.67)):
        own_power, own_time = adcs(bits)
        yield f"ADC power, 8 bits / {bits}", less_power, power / own_power
        yield f"ADC time, 8 bits / {bits}", less_time, time / own_time


def puma():
    chip = machine("puma")
    peak, node = chip["peak"], chip["chip"]
    unit_power = chip["ima"]["power_w"]["total"] / 2  # two matrix-vector units in a core
    yield "a matrix-vector product, ns", 2304, peak["mvm_s"] * 1e9
    yield "a matrix-vector product, nJ", 43.97, unit_power * peak["mvm_s"] * 1e9
    yield "power of the node, W", 62.5, node["power_w"]["total"]
    yield "area of the node, mm²", 90.6, node["area_mm2"]["total"]
    yield "peak, TOPS", 52.31, peak["gops"] / 1e3
    yield "TOPS/W", 0.837, peak["gops_per_w"] / 1e3
    yield "TOPS/mm²", 0.577, peak["gops_per_mm2"] / 1e3


def raella():
    yield "conversions per MAC, 8-bit ISAAC", 0.25, machine("isaac-8bit")["peak"]["conversions_per_mac"]
    two_bits = machine("raella", "slices.widths=[2,2,2,2]")
    yield "conversions per MAC, RAELLA with 2-bit slices", 0.063, two_bits["peak"]["conversions_per_mac"]
    with tempfile.TemporaryDirectory() as folder:
        network = pathlib.Path(folder) / "resnet18.onnx"
        subprocess.run([BITLINE, "workload", "make", "resnet18", "-o", network], check=True, stdout=subprocess.DEVNULL)

        def run(chip):
            return bitline("run", "--arch", ROOT / "configs" / f"{chip}.yaml", "--network", network, "--json", "--quiet",
                           "--set=mapping.replication=balanced", "--set=mapping.digital=spread", "--batch", 6)
        isaac_8bit, own = run("isaac-8bit"), run("raella")

    def throughput_per_area(result):
        return result["throughput_ips"] / result["area_mm2"]["total"]
    yield ("energy, resnet18, 8-bit ISAAC / RAELLA", 3.9,
           isaac_8bit["energy_j"]["total"] / own["energy_j"]["total"])
    yield ("throughput per area, resnet18, RAELLA / 8-bit ISAAC", 2.0,
           throughput_per_area(own) / throughput_per_area(isaac_8bit))


DESIGNS = (("ISAAC", isaac), ("bit-slice L1", bitslice_l1), ("PUMA", puma), ("RAELLA", raella))


def rows():
    """(design, quantity, published, simulated, reason)"""
    for design, numbers in DESIGNS:
        for quantity, published, simulated in numbers():
            yield design, quantity, published, simulated, REASONS.get((design, quantity), "")


def unexplained(table):
    """Rows that differ by more than 5 % without a reason, or have a reason that they do not need."""
    return [row for row in table if (abs(row[3] / row[2] - 1) > LARGEST_DIFFERENCE) != bool(row[4])]


def markdown(table):
    lines = ["| design | quantity | published | simulated | difference | reason |", "|---|---|---:|---:|---:|---|"]
    for design, quantity, published, simulated, reason in table:
        lines.append(f"| {design} | {quantity} | {published:.5g} | {simulated:.4g} | {100 * (simulated / published - 1):+.1f} % "
                     f"| {reason} |")
    return "\n".join(lines) + "\n"


def in_readme(text=None):
    """The README's table; puts `text` there if given."""
    path = ROOT / "README.md"
    before, rest = path.read_text().split(BEGIN)
    table, after = rest.split(END)
    if text is not None:
        path.write_text(before + BEGIN + text + END + after)
    return table


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="put the table into README.md")
    options = parser.parse_args()
    table = list(rows())
    text = markdown(table)
    if options.write:
        in_readme(text)
    print(text, end="")
    for design, quantity, *_ in unexplained(table):
        print(f"no reason, or one too many: {design}: {quantity}", file=sys.stderr)
    return 1 if unexplained(table) else 0


if __name__ == "__main__":
    sys.exit(main())
