# SPDX-License-Identifier: Apache-2.0
"""The experiments of the README on the digits: writes digits.csv, digits.svg and digits.md.

    python3 -m bitline.nas.experiments --runs out/experiments --results out

(a) bit-slice L1 against plain L1: the two committed networks, trained on from their weights with several strengths;
(b) the searched cell against the cells of DARTS_V2 and PC_DARTS, with channels for the same size, trained to the same sparsity;
(c) search with and without the hardware term (energy x delay), then trained like (b).

Every run has a folder below --runs and is gone on with after a stop; the table is made of what is there.
"""

from __future__ import annotations

import argparse
import csv
import io
import pathlib
import statistics
import sys
from collections.abc import Iterator
from typing import Any

import torch

from bitline.nas.checkpoint import write_atomically
from bitline.nas.cli import Progress
from bitline.nas.genotype import PUBLISHED, Genotype
from bitline.nas.pipeline import Run, Settings
from bitline.nas.search import Search
from bitline.nas.simulate import Machine
from bitline.nas.space import Network, Shape, parameters_of
from bitline.nas.train import Training

STRENGTHS = {"digits-mlp": (1e-4, 3e-4, 1e-3, 3e-3), "digits-cnn": (1e-4, 3e-4, 1e-3, 3e-3)}
SIZE, TARGET, LAYERS = 13_000, 0.3, 3
SEARCH = Search(epochs=10, warmup=2, arch_learning_rate=0.03)
CELL_TRAINING = Training(epochs=20, strength=1e-3, target=TARGET)
KEYS = ("experiment", "network", "variant", "strength", "seed")
FIGURES = ("parameters", "macs", "top1", "nonzero_high", "nonzero_low", "adc_bits_high", "adc_bits_low", "adc_mean_high", "adc_mean_low",
           "energy_j", "adc_energy_j", "latency_s", "edp_js", "area_mm2", "crossbars")


class Experiments:
    """workloads: the folder of the committed networks."""

    def __init__(self, runs: pathlib.Path, arch: str, workloads: pathlib.Path, seeds: list[int]) -> None:
        self.runs, self.workloads, self.seeds = runs, workloads, seeds
        self.machine = Machine(arch)

    def rows(self, which: str) -> Iterator[dict[str, Any]]:
        for name in which:
            yield from getattr(self, f"_{name}")()

    def _run(self, keys: tuple[Any, ...], settings: Settings) -> dict[str, Any]:
        folder = self.runs / "-".join(str(key) for key in keys)
        print(folder.name, file=sys.stderr, flush=True)
        report = Run(folder, settings, progress=Progress())()
        m = report["machine"]
        high, low = m["slices"]
        values = {"parameters": report["parameters"], "macs": report["macs"], "top1": m["top1"],
                  "nonzero_high": high["nonzero_ratio"], "nonzero_low": low["nonzero_ratio"], "adc_bits_high": high["adc_bits_most"],
                  "adc_bits_low": low["adc_bits_most"], "adc_mean_high": high["adc_bits_mean"], "adc_mean_low": low["adc_bits_mean"],
                  **{key: m[key] for key in FIGURES if key in m}}
        return {**dict(zip(KEYS, keys)), **values}

    def _a(self) -> Iterator[dict[str, Any]]:
        for network, strengths in STRENGTHS.items():
            kinds = [("none", 0.0), *((kind, strength) for strength in strengths for kind in ("l1", "bitslice-l1"))]
            for kind, strength in kinds:
                for seed in self.seeds:
                    settings = Settings(self.machine, seed=seed, network=str(self.workloads / f"{network}.onnx"),
                                        training=Training(epochs=12, learning_rate=2e-3, regulariser=kind, strength=strength))
                    yield self._run(("a", network, kind, strength, seed), settings)

    def _cell(self, experiment: str, name: str, variant: str, cell: Genotype, seed: int) -> dict[str, Any]:
        settings = Settings(self.machine, seed=seed, layers=LAYERS, channels=channels_for(cell), genotype=cell.as_dict(),
                            training=CELL_TRAINING)
        return self._run((experiment, name, variant, TARGET, seed), settings)

    def _searched(self, hardware: str, seed: int) -> Genotype:
        folder = self.runs / f"search-{hardware}-{seed}"
        print(folder.name, file=sys.stderr, flush=True)
        settings = Settings(self.machine, seed=seed, layers=LAYERS, channels=4, search=SEARCH, training=Training(epochs=0),
                            hardware=hardware, train_images=768, test_images=2)
        Run(folder, settings, progress=Progress())()
        return Genotype.of(folder / "genotype.json")

    def _b(self) -> Iterator[dict[str, Any]]:
        for seed in self.seeds:
            for name in ("DARTS_V2", "PC_DARTS"):
                yield self._cell("b", name, "published", PUBLISHED[name], seed)
            yield self._cell("b", "searched", "oracle", self._searched("oracle", seed), seed)

    def _c(self) -> Iterator[dict[str, Any]]:
        for seed in self.seeds:
            for hardware in ("oracle", "lut", "none"):
                yield self._cell("b" if hardware == "oracle" else "c", "searched", hardware, self._searched(hardware, seed), seed)


def channels_for(cell: Genotype) -> int:
    """The even number of channels whose network is nearest to SIZE parameters."""
    return min(range(2, 25, 2), key=lambda c: abs(parameters_of(Network(cell, Shape(LAYERS, c, 10, (1, 8, 8)))) - SIZE))


def csv_of(rows: list[dict[str, Any]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, (*KEYS, *FIGURES), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def groups_of(rows: list[dict[str, Any]]) -> dict[tuple[Any, ...], list[dict[str, Any]]]:
    """The seeds of each setting together."""
    found: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(tuple(row[key] for key in KEYS[:-1]), []).append(row)
    return found


def table_of(rows: list[dict[str, Any]]) -> str:
    """Markdown: means over seeds, and the range of the accuracy."""
    lines = ["| | network | training | strength | parameters | accuracy % (lowest to highest) | non-zero high, low % | ADC bits, most: high, low "
             "| mean: high, low | energy nJ | of it ADCs | energy x delay pJs |", "|---|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|"]
    for (experiment, network, variant, strength), group in groups_of(rows).items():
        def mean(key: str, factor: float = 1.0, group: list[dict[str, Any]] = group) -> float:
            return factor * statistics.mean(float(row[key]) for row in group)
        accuracies = [100 * float(row["top1"]) for row in group]
        lines.append(
            f"| {experiment} | {network} | {variant} | {float(strength):g} | {mean('parameters'):.0f} "
            f"| {mean('top1', 100):.2f} ({min(accuracies):.2f} to {max(accuracies):.2f}) "
            f"| {mean('nonzero_high', 100):.1f}, {mean('nonzero_low', 100):.1f} | {mean('adc_bits_high'):.1f}, {mean('adc_bits_low'):.1f} "
            f"| {mean('adc_mean_high'):.2f}, {mean('adc_mean_low'):.2f} | {mean('energy_j', 1e9):.1f} | {mean('adc_energy_j', 1e9):.2f} "
            f"| {mean('edp_js', 1e12):.2f} |")
    return "\n".join(lines) + "\n"


def figure_of(rows: list[dict[str, Any]]) -> bytes:
    """Accuracy against ADC energy (a) and against energy x delay (b, c), a point per run, as SVG. Needs matplotlib."""
    import matplotlib
    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = "bitline"  # equal tables give equal files
    from matplotlib import pyplot

    networks = sorted({row["network"] for row in rows if row["experiment"] == "a"})
    figure, axes = pyplot.subplots(1, len(networks) + 1, figsize=(4.4 * (len(networks) + 1) + 1.8, 3.6), layout="constrained")
    for axis, network in zip(axes, networks):
        for variant, marker in (("none", "s"), ("l1", "o"), ("bitslice-l1", "^")):
            mine = [row for row in rows if row["network"] == network and row["variant"] == variant]
            axis.plot([1e9 * row["adc_energy_j"] for row in mine], [100 * row["top1"] for row in mine], marker, label=variant, alpha=0.7)
        axis.set(title=f"(a) {network}", xlabel="energy of ADCs per image, nJ", ylabel="accuracy, %")
        axis.legend()
    names = {"DARTS_V2": "DARTS_V2", "PC_DARTS": "PC_DARTS", "oracle": "searched, oracle", "lut": "searched, table", "none": "searched, no term"}
    for name, label in names.items():
        mine = [row for row in rows if row["experiment"] != "a" and name in (row["network"], row["variant"])]
        axes[-1].plot([1e12 * row["edp_js"] for row in mine], [100 * row["top1"] for row in mine], "o", label=label, alpha=0.7)
    axes[-1].set(title=f"(b, c) cells of about {SIZE} parameters", xlabel="energy x delay of an image, pJs", ylabel="accuracy, %")
    axes[-1].legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    pyplot.close(figure)
    return buffer.getvalue()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=pathlib.Path, required=True, help="folder of the runs")
    parser.add_argument("--results", type=pathlib.Path, required=True, help="folder of the table and the figure")
    parser.add_argument("--only", default="abc", help="which experiments (abc)")
    parser.add_argument("--seeds", default="1,2,3", help="(1,2,3)")
    parser.add_argument("--arch", default="configs/bitslice-4bit.yaml")
    parser.add_argument("--workloads", type=pathlib.Path, default=pathlib.Path("workloads"))
    given = parser.parse_args()
    torch.set_num_threads(1)
    experiments = Experiments(given.runs, given.arch, given.workloads, [int(seed) for seed in given.seeds.split(",")])
    rows = list({tuple(row[key] for key in KEYS): row for row in experiments.rows(given.only)}.values())
    given.results.mkdir(parents=True, exist_ok=True)
    write_atomically(given.results / "digits.csv", csv_of(rows))
    write_atomically(given.results / "digits.md", table_of(rows).encode())
    write_atomically(given.results / "digits.svg", figure_of(rows))
    print(table_of(rows), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
