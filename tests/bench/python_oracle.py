#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the Python package adds to the oracle, in CPU time.

    PYTHONPATH=build/release/python tests/bench/python_oracle.py [calls]

overhead: a call whose cost the process knows. memory: its growth over `calls` calls (default 100 000), half of them of networks
that differ. cycle: simulations through Python against `bitline run`, as often.
"""

import os
import pathlib
import resource
import subprocess
import sys
import time

import bitline

ROOT = pathlib.Path(__file__).resolve().parents[2]
ARCH = ROOT / "configs" / "isaac-8bit.yaml"
MLP = ROOT / "workloads" / "digits-mlp.onnx"
CNN = ROOT / "workloads" / "digits-cnn.onnx"


def memory_kib():
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * (resource.getpagesize() // 1024)


def cpu_of(work, *arguments):
    start = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    work(*arguments)
    end = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(e.ru_utime + e.ru_stime - s.ru_utime - s.ru_stime for s, e in zip(start, end))


def main():
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    oracle = bitline.CostOracle(ARCH)
    genotype = bitline.Genotype("DARTS_V2", layers=8, channels=16)
    for name, network in (("genotype", genotype), ("path", MLP)):
        oracle.evaluate(network)
        start = time.process_time()
        for _ in range(10_000):
            oracle.evaluate(network)
        print(f"overhead, {name}: {(time.process_time() - start) * 100:.1f} us a call")

    def many(first, count):
        for i in range(first, first + count, 2):
            oracle.evaluate(MLP, seed=i)
            oracle.evaluate(genotype)
    many(0, 5000)
    before = memory_kib()
    many(5000, calls)
    print(f"memory: {memory_kib() - before:+d} KiB over {calls} calls, {memory_kib()} KiB in all")

    program = os.environ["BITLINE"]
    cycle = bitline.CostOracle(ARCH, "cycle", program=program)

    def by_python():
        for seed in range(20):
            cycle.evaluate(CNN, seed=seed)

    def by_command():
        for seed in range(20):
            subprocess.run([program, "run", "--quiet", "--json", "--arch", ARCH, "--network", CNN, "--seed", str(seed)], check=True,
                           stdout=subprocess.DEVNULL)
    python, command = cpu_of(by_python), cpu_of(by_command)
    print(f"cycle: {python / 20 * 1e3:.1f} ms through Python, {command / 20 * 1e3:.1f} ms by command: {python / command - 1:+.1%}")


if __name__ == "__main__":
    main()
