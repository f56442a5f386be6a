#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The default activity factors of mode analytic (activity.cpp): shares of ones in the inputs of crossbar layers, by bit from
the most significant on, measured by the bit-exact engine on networks that are not in the sample of `bitline fidelity`.

    sim/analytic/measure_activity.py build/release/bin/bitline configs/isaac.yaml [KEY=VALUE...]

Networks weigh the same; a layer weighs as much of its network as its reads of cells: windows x rows x outputs.
"""

import json
import pathlib
import random
import subprocess
import sys
import tempfile

import numpy as np
import onnx

OPERATIONS = ("max_pool_3x3", "avg_pool_3x3", "skip_connect", "sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3", "dil_conv_5x5")
OTHERS = (("resnet20", 28), ("resnet18", 48), ("mobilenetv2", 48), ("mnasnet1_0", 48), ("squeezenet1_1", 48), ("vgg8", 36))


def genotype(rng):
    def cell():
        return [[rng.choice(OPERATIONS), i] for node in range(4) for i in sorted(rng.sample(range(node + 2), 2))]
    return {"normal": cell(), "reduce": cell()}


def networks(count=16):
    rng = random.Random(20)
    for i in range(count):
        yield ["darts", "--layers", rng.choice((3, 5, 6, 7)), "--channels", rng.choice((10, 14, 18)), "--resolution",
               rng.choice((20, 28)), "--seed", 1000 + i], genotype(rng)
    for name, resolution in OTHERS:
        yield [name, "--seed", 7] + ([] if name in ("vgg8", "resnet20") else ["--resolution", resolution]), None


def after_depthwise(path):
    """Names of the nodes that read the result of a grouped convolution, normalised or not."""
    graph = onnx.load(path, load_external_data=False).graph
    made = {name: node for node in graph.node for name in node.output}

    def maker(name):
        node = made.get(name)
        return maker(node.input[0]) if node is not None and node.op_type == "BatchNormalization" else node

    def grouped(node):
        return node is not None and any(a.name == "group" and a.i > 1 for a in node.attribute)
    return {node.name for node in graph.node if node.input and grouped(maker(node.input[0]))}


def measure(bitline, arch, overrides, folder):
    """Yields (network, kind, weight, shares of ones by bit) of every layer."""
    for number, (arguments, cells) in enumerate(networks()):
        path = folder / f"{number}.onnx"
        if cells:
            (folder / "cells.json").write_text(json.dumps(cells), encoding="utf-8")
            arguments = [*arguments, "--genotype", folder / "cells.json"]
        subprocess.run([bitline, "workload", "make", *map(str, arguments), "-o", path], check=True, stdout=subprocess.DEVNULL)
        dump = folder / f"{number}"
        subprocess.run([bitline, "run", "--quiet", "--mode", "analytic", "--activity", "measured", "--arch", arch, "--network", path,
                        "--seed", str(100 + number), "--dump-layers", dump, *(word for o in overrides for word in ("--set", o))],
                       check=True, stdout=subprocess.DEVNULL)
        depthwise = after_depthwise(path)
        own = []
        for index, layer in enumerate(json.loads((dump / "layers.json").read_text())):
            x, y = (np.load(dump / f"{layer['name']}.{part}.npy") for part in "xy")
            w = np.load(dump / f"{layer['name']}.w.npy", mmap_mode="r")
            bits = layer["activation_bits"]
            codes = x.astype(np.int64) & ((1 << bits) - 1)  # two's complement
            shares = [float((codes >> bit & 1).mean()) for bit in range(bits - 1, -1, -1)]
            kind = ("input" if index == 0 else "nonnegative" if not layer["activation_signed"] else
                    "depthwise" if layer["node"] in depthwise else "signed")
            own.append((f"{arguments[0]}", kind, y.size * w[0].size, shares))
        for name, kind, weight, shares in own:
            yield name, kind, weight / sum(o[2] for o in own), shares


def main():
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        rows = list(measure(sys.argv[1], sys.argv[2], sys.argv[3:], pathlib.Path(folder)))
    for kind in ("input", "nonnegative", "depthwise", "signed"):
        own = [r for r in rows if r[1] == kind]
        weights = np.array([r[2] for r in own], float)
        shares = np.array([r[3] for r in own])
        mean = (shares * weights[:, None]).sum(0) / weights.sum()
        spread = np.sqrt(((shares.mean(1) - mean.mean()) ** 2 * weights).sum() / weights.sum())
        print(f"{kind}: {len(own)} layers, mean {mean.mean():.4f}, standard deviation {spread:.4f}")
        print("  " + ", ".join(f"{share:.4f}" for share in mean))
        for name in sorted({r[0] for r in own}):
            mine = [i for i, r in enumerate(own) if r[0] == name]
            print(f"    {name}: {(shares[mine].mean(1) * weights[mine]).sum() / weights[mine].sum():.4f}")


if __name__ == "__main__":
    main()
