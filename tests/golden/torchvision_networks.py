#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Classification networks of torchvision, with seeded weights, through Bitline: agreement with PyTorch, time of the import,
and whether they map. Prints a table; exits with 1 where one fails.

    BITLINE=build/release/bin/bitline tests/golden/torchvision_networks.py [--write torchvision.md] [NAME...]

Without names: all members below, about half an hour.
"""

import argparse
import os
import pathlib
import re
import resource
import subprocess
import sys
import tempfile
import warnings

import numpy as np

SOURCE = pathlib.Path(__file__).resolve().parents[2]
MACHINE = SOURCE / "configs" / "isaac-8bit.yaml"
MOST_RELATIVE = 1e-4
MOST_IMPORT_S = 2.0

# Member of each family, side of its images, settings without which isaac-8bit.yaml is too small for it.
MEMBERS = {
    "alexnet": (224, ["chip.tiles=200"]),
    "vgg11": (224, ["chip.tiles=400"]),
    "vgg16": (224, ["chip.tiles=400"]),
    "resnet18": (224, []),
    "resnet50": (224, []),
    "resnext50_32x4d": (224, []),
    "wide_resnet50_2": (224, ["chip.tiles=256"]),
    "squeezenet1_0": (224, []),
    "squeezenet1_1": (224, []),
    "densenet121": (224, []),
    "googlenet": (224, []),
    "inception_v3": (299, []),
    "mobilenet_v2": (224, []),
    "mobilenet_v3_small": (224, []),
    "mobilenet_v3_large": (224, []),
    "mnasnet0_5": (224, []),
    "mnasnet1_0": (224, []),
    "shufflenet_v2_x0_5": (224, []),
    "shufflenet_v2_x1_0": (224, []),
    "efficientnet_b0": (224, []),
    "efficientnet_v2_s": (384, ["chip.tiles=400"]),
    "regnet_x_400mf": (224, []),
    "regnet_y_400mf": (224, []),
    "convnext_tiny": (224, []),
    "vit_b_16": (224, ["chip.tiles=400"]),
}


def build(name):
    import torch
    import torchvision

    torch.manual_seed(0)
    options = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network = torchvision.models.get_model(name, weights=None, **options).eval()
    for parameter in network.parameters():  # the classifier of a vision transformer starts as zeros
        if parameter.dim() == 2 and not parameter.any():
            torch.nn.init.normal_(parameter, std=0.02)
    return network


def export(name, side, folder):
    """Writes net.onnx, x.npy and y.npy (PyTorch's outputs) into the folder."""
    import torch

    model = build(name)
    x = torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(1))
    with warnings.catch_warnings():  # with gradients: without them attention is one operator that has no ONNX
        warnings.simplefilter("ignore")
        torch.onnx.export(model, x, str(folder / "net.onnx"), input_names=["x"], output_names=["y"], opset_version=14)
        np.save(folder / "y.npy", model(x).detach().numpy())
    np.save(folder / "x.npy", x.numpy())


def bitline(*arguments):
    """The finished process, and the processor time that it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([os.environ["BITLINE"], *map(str, arguments)], capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def examine(name, folder):
    """One row of the table, and what is wrong."""
    side, settings = MEMBERS[name]
    export(name, side, folder)
    checked, import_s = bitline("check", folder / "net.onnx")
    row = {"import_s": import_s, "settings": settings}
    if checked.returncode != 0:
        return row, [checked.stderr.strip()]
    problems = [] if import_s < MOST_IMPORT_S else [f"import takes {import_s:.1f} s"]
    inferred, _ = bitline("infer", "--network", folder / "net.onnx", "--input", folder / "x.npy", "--dump-outputs",
                          folder / "out")
    if inferred.returncode != 0:
        return row, problems + [inferred.stderr.strip()]
    expected = np.load(folder / "y.npy")
    found = np.load(folder / "out" / "y.npy")
    row["error"] = float(np.abs(found - expected).max() / np.abs(expected).max())
    if not row["error"] <= MOST_RELATIVE:
        problems.append(f"differs from PyTorch by {row['error']:.1e}")
    overrides = [word for setting in settings for word in ("--set", setting)]
    mapped, row["map_s"] = bitline("map", "--arch", MACHINE, "--network", folder / "net.onnx", *overrides)
    if mapped.returncode != 0:
        return row, problems + [mapped.stderr.strip()]
    row["crossbars"] = int(re.search(r"^crossbars +([\d ]+) of", mapped.stdout, re.M).group(1).replace(" ", ""))
    return row, problems


def table(rows):
    lines = ["| network | differs from PyTorch by | import | crossbars | settings beside isaac-8bit.yaml |", "|---|---|---|---|---|"]
    for name, row in rows.items():
        error = f"{row['error']:.1e}" if "error" in row else "-"
        crossbars = row.get("crossbars", "-")
        lines.append(f"| {name} | {error} | {row['import_s']:.2f} s | {crossbars} | {', '.join(row['settings']) or '-'} |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="networks of torchvision; all known ones if none")
    parser.add_argument("--write", type=pathlib.Path, help="also write the table to this file")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.names if name not in MEMBERS]
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}; known: {', '.join(MEMBERS)}")
    rows, failed = {}, False
    for name in arguments.names or MEMBERS:
        with tempfile.TemporaryDirectory() as folder:
            rows[name], problems = examine(name, pathlib.Path(folder))
        failed |= bool(problems)
        print(table({name: rows[name]}).splitlines()[-1], *problems, sep="\n    ", flush=True)
    if arguments.write:
        arguments.write.write_text(table(rows))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
