# SPDX-License-Identifier: Apache-2.0
"""Sums over a table against the analytic cost of whole networks, on random genotypes: prints a summary line per machine.

    PYTHONPATH=build/release/python python3 tests/python/lut_accuracy.py --networks 120 --csv tests/golden/lut.csv
"""

import argparse
import csv
import pathlib
import random

import numpy as np

import bitline

FIGURES = ("energy_j", "latency_s", "edp_js")
CONFIGS = pathlib.Path(__file__).parents[2] / "configs"
MACHINES = ("isaac", "isaac-8bit", "bitslice-l1", "raella")


def random_cell(chance):
    """Two operations on two different states for each of the four nodes."""
    operations = ["max_pool_3x3", "avg_pool_3x3", "skip_connect", "sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3", "dil_conv_5x5"]
    return [[chance.choice(operations), state] for node in range(4) for state in chance.sample(range(node + 2), 2)]


def random_genotypes(number, seed):
    chance = random.Random(seed)
    return [{"normal": random_cell(chance), "reduce": random_cell(chance)} for _ in range(number)]


def ranks(values):
    """Mean ranks of equal values."""
    _, index, counts = np.unique(np.asarray(values), return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2)[index]


def spearman(a, b):
    return float(np.corrcoef(ranks(a), ranks(b))[0, 1])


def compare(arch, genotypes, **shape):
    """[(figure, of the table, of the network)] by genotype."""
    table = bitline.lut(arch, **shape)
    oracle = bitline.CostOracle(arch)
    costs = oracle.evaluate_many([bitline.Genotype(cells, **shape) for cells in genotypes])
    return [(table.cost(cells), cost) for cells, cost in zip(genotypes, costs)]


def summary(pairs):
    """By figure: mean relative error, Spearman's rank correlation."""
    out = {}
    for figure in FIGURES:
        mine, theirs = (np.array([pair[i][figure] for pair in pairs]) for i in (0, 1))
        out[figure] = float(np.mean(np.abs(mine / theirs - 1))), spearman(mine, theirs)
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", type=int, default=120)
    parser.add_argument("--layers", type=int, default=8)
    parser.add_argument("--channels", type=int, default=16)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--csv", type=pathlib.Path)
    options = parser.parse_args()
    rows = []
    print(f"{options.networks} random genotypes, {options.layers} cells, {options.channels} channels")
    for machine in MACHINES:
        genotypes = random_genotypes(options.networks, options.seed)
        pairs = compare(CONFIGS / f"{machine}.yaml", genotypes, layers=options.layers, channels=options.channels)
        for number, (mine, theirs) in enumerate(pairs):
            rows.append([machine, number, *(f"{cost[figure]:.6g}" for cost in (mine, theirs) for figure in FIGURES)])
        text = "".join(f"  {figure} {error:.2%} {rho:.4f}" for figure, (error, rho) in summary(pairs).items())
        print(f"{machine:<12}{text}")
    if options.csv:
        with open(options.csv, "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["machine", "genotype", *(f"{kind}_{figure}" for kind in ("table", "network") for figure in FIGURES)])
            writer.writerows(rows)


if __name__ == "__main__":
    main()
