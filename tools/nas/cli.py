# SPDX-License-Identifier: Apache-2.0
"""The command line: `python3 -m bitline.nas run|train`."""

from __future__ import annotations

import argparse
import dataclasses
import pathlib
import sys
from collections.abc import Sequence
from typing import Any

_EXAMPLES = """examples:
  python3 -m bitline.nas run --out out/nas                        search on the digits, retrain, export, simulate, report
  python3 -m bitline.nas run --out out/nas                        again after a kill: goes on where it was
  python3 -m bitline.nas run --out out/v2 --genotype DARTS_V2     a given cell instead of a search
  python3 -m bitline.nas run --out out/c10 --data cifar10:cifar-10-batches-bin --device cuda --layers 8 --channels 16 \\
      --partial 4 --search-epochs 50 --warmup 15 --batch 96 --epochs 600
  python3 -m bitline.nas train --out out/cnn --network workloads/digits-cnn.onnx --regulariser l1 --strength 1e-4
"""
_FAST = {"channels": 4, "search_epochs": 2, "warmup": 1, "epochs": 12, "train_images": 384}


class Progress:
    """A line on standard error that is written over; silent where that is no terminal."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()

    def __call__(self, what: str, done: int, of: int) -> None:
        if self._terminal:
            end = "\n" if done == of else ""
            print(f"\r{what:9s} {done}/{of}", end=end, file=sys.stderr, flush=True)


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="python3 -m bitline.nas", epilog=_EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter,
                                  description="Bit-level sparsity-tolerant architecture search for ReRAM crossbars.")
    commands = top.add_subparsers(dest="command", required=True, metavar="run|train")
    run = commands.add_parser("run", help="search a cell, retrain it, export, simulate, report", epilog=_EXAMPLES,
                              formatter_class=argparse.RawDescriptionHelpFormatter)
    _common(run)
    run.add_argument("--genotype", help="no search: DARTS_V1, DARTS_V2, PC_DARTS, or a JSON file")
    run.add_argument("--layers", type=int, help="cells (3)")
    run.add_argument("--channels", type=int, help="of an operation in the first cells (8)")
    run.add_argument("--partial", type=int, help="K: only 1/K of the channels pass the mixed operations, as PC-DARTS (1)")
    run.add_argument("--search-epochs", type=int, help="(8)")
    run.add_argument("--search-batch", type=int, help="(64)")
    run.add_argument("--warmup", type=int, help="epochs before the architecture moves (2)")
    run.add_argument("--search-strength", type=float, help="of the regulariser during the search (1e-5)")
    run.add_argument("--second-order", action="store_true", default=None, help="DARTS's unrolled gradient")
    run.add_argument("--hardware", help="where the cost of architectures comes from: lut, oracle or none (lut)")
    run.add_argument("--hardware-weight", type=float, help="of the relative expected cost in the architecture's loss (0.5)")
    run.add_argument("--hardware-metric", help="energy, latency or edp (edp)")
    run.add_argument("--fast", action="store_true", help="to try it out: " + ", ".join(f"{k.replace('_', ' ')} {v}" for k, v in _FAST.items()))
    train = commands.add_parser("train", help="train a given network for sparse bit slices", epilog=_EXAMPLES,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    _common(train)
    train.add_argument("--network", required=True, help="a float ONNX file, or a name of `bitline workload list`")
    return top


def _common(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("--out", required=True, type=pathlib.Path, metavar="DIR", help="folder of the run; one that was begun is gone on with")
    add("--data", help="digits, or cifar10:FOLDER with the binary files (digits)")
    add("--train-images", type=int, metavar="N", help="only the first N")
    add("--test-images", type=int, metavar="N", help="only the first N")
    add("--device", default="cpu", help="cpu or cuda (cpu)")
    add("--threads", type=int, default=1, help="of PyTorch on the CPU (1)")
    add("--seed", type=int, help="(1)")
    add("--epochs", type=int, help="of training; 0: only calibrate the inputs' scales (40)")
    add("--batch", type=int, help="(64)")
    add("--learning-rate", type=float, help="of training (3e-3)")
    add("--regulariser", help="none, l1 or bitslice-l1 (bitslice-l1)")
    add("--strength", type=float, help="times the penalty in the loss (1e-4)")
    add("--target", type=float, help="share of non-zero slices that the strength is moved to reach")
    add("--bits-per-cell", type=int, help="1 or 2: width of the slices (2)")
    add("--weight-bits", type=int, help="magnitude bits beside the sign (4)")
    add("--activation-bits", type=int, help="(4)")
    add("--arch", default="configs/bitslice-4bit.yaml", help="the machine (configs/bitslice-4bit.yaml)")
    add("--set", action="append", default=[], metavar="KEY=VALUE", help="override a key of the machine")
    add("--mode", help="cycle, structural or analytic (cycle)")


#: Settings that are not plainly named as their option: (part of Settings, field).
_PLACES = {
    "search_epochs": ("search", "epochs"), "search_batch": ("search", "batch"), "warmup": ("search", "warmup"),
    "search_strength": ("search", "strength"), "second_order": ("search", "second_order"), "hardware_weight": ("search", "hardware"),
    "epochs": ("training", "epochs"), "batch": ("training", "batch"), "learning_rate": ("training", "learning_rate"),
    "strength": ("training", "strength"), "target": ("training", "target"), "hardware_metric": (None, "metric"),
}
_PLAIN = ("data", "seed", "layers", "channels", "partial", "hardware", "train_images", "test_images", "network")


def settings_of(given: argparse.Namespace) -> Any:
    """The settings of parsed arguments; what is not given has its default."""
    from bitline.nas.genotype import Genotype
    from bitline.nas.pipeline import Settings
    from bitline.nas.quantise import Bits
    from bitline.nas.search import Search
    from bitline.nas.simulate import Machine
    from bitline.nas.train import Training

    values = {key: value for key, value in vars(given).items() if value is not None}
    if values.pop("fast", False):
        values = {**_FAST, **values}
    parts: dict[Any, dict[str, Any]] = {"search": {}, "training": {}, None: {}}
    for key, (part, field) in _PLACES.items():
        if key in values:
            parts[part][field] = values[key]
    for key in ("regulariser", "bits_per_cell"):
        if key in values:
            parts["search"][key] = parts["training"][key] = values[key]
    bits = Bits(**{field: values[key] for key, field in (("weight_bits", "weights"), ("activation_bits", "activations")) if key in values})
    training = Training(**parts["training"])
    wrong = [word for word in given.set if "=" not in word]
    if wrong:
        raise ValueError(f"--set {wrong[0]}; allowed: KEY=VALUE")
    machine = Machine(given.arch, bits, training.bits_per_cell, dict(word.split("=", 1) for word in given.set),
                      values.get("mode", "cycle"))
    settings = Settings(machine, bits=bits, search=Search(**parts["search"]), training=training, **parts[None],
                        **{key: values[key] for key in _PLAIN if key in values})
    if "genotype" in values:
        settings = dataclasses.replace(settings, genotype=Genotype.of(values["genotype"]).as_dict())
    return settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; the exit code."""
    given = parser().parse_args(arguments)
    try:
        import torch

        import bitline
        from bitline.nas.pipeline import Run
    except ImportError as error:
        return _refuse(f"{error}; remedy: install PyTorch, onnx and scikit-learn (pip install bitline[nas])", 2)
    try:
        if given.threads < 1:
            raise ValueError(f"--threads {given.threads}; allowed: 1 or more")
        torch.set_num_threads(given.threads)
        Run(given.out, settings_of(given), device=given.device, progress=Progress())()
        print((given.out / "report.md").read_text(), end="")
        return 0
    except bitline.BitlineError as error:
        return _refuse(str(error), error.code)
    except (ValueError, ArithmeticError, OSError) as error:
        return _refuse(str(error), 2)
    except KeyboardInterrupt:
        return _refuse(f"stopped; the same command goes on from {given.out}", 130)


def _refuse(message: str, code: int) -> int:
    print(f"bitline.nas: error: {message}", file=sys.stderr)
    return code
