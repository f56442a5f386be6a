# SPDX-License-Identifier: Apache-2.0
"""By hand: many simulations from one process, of which one crashes and one hangs; memory over many analytic calls.

    PYTHONPATH=build/release/python BITLINE=build/release/bin/bitline python3 tests/python/endurance.py simulations --number 1000
    PYTHONPATH=build/release/python BITLINE=build/release/bin/bitline python3 tests/python/endurance.py memory --number 100000
"""

import argparse
import os
import pathlib
import resource
import sys
import tempfile
import time

import bitline

ROOT = pathlib.Path(__file__).resolve().parents[2]
ARCH, MLP, CNN = ROOT / "configs/isaac-8bit.yaml", ROOT / "workloads/digits-mlp.onnx", ROOT / "workloads/digits-cnn.onnx"


def faulty_program(folder, crash, hang):
    """bitline, but for one seed it crashes and for another it hangs."""
    script = pathlib.Path(folder) / "bitline"
    script.write_text(f"""#!/bin/sh
case " $* " in
  *" --seed {crash} "*) kill -SEGV $$ ;;
  *" --seed {hang} "*) exec sleep 100000 ;;
esac
exec {bitline.CostOracle(ARCH).program} "$@"
""")
    script.chmod(0o755)
    return script


def used():
    """MB of this process, now and at most."""
    pages = int(pathlib.Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def simulations(number, jobs):
    crash, hang = number // 3, number // 2
    with tempfile.TemporaryDirectory() as folder:
        program = faulty_program(folder, crash, hang)
        oracle = bitline.CostOracle(ARCH, "cycle", program=program, jobs=jobs)
        start = time.monotonic()
        in_a_row = [oracle.evaluate(MLP, seed=number + seed) for seed in range(number)]
        between = time.monotonic()
        with oracle:
            futures = [oracle.submit(MLP, seed=seed, timeout=20 if seed == hang else None) for seed in range(number)]
            results = [future.exception() or future.result() for future in futures]
        end = time.monotonic()
    assert isinstance(results[crash], bitline.SimulationError) and isinstance(results[hang], bitline.TimeoutError)
    assert sum(isinstance(result, bitline.Cost) for result in results) == number - 2 and len(in_a_row) == number
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"{number} in a row: {between - start:.1f} s; {number}, {jobs} at a time: {end - between:.1f} s, one crash, one hang, "
          f"{number - 2} costs")
    print(f"CPU time of a simulation: {(children.ru_utime + children.ru_stime) / (2 * number) * 1e3:.0f} ms; "
          f"this process: {used()[0]:.0f} MB, at most {used()[1]:.0f} MB")


def memory(number, _):
    """Two networks in turn, and every hundredth call one that has not been asked for before."""
    oracle = bitline.CostOracle(ARCH)
    start = time.process_time()
    for call in range(number + 1):
        if call % (number // 10) == 0:
            print(f"{call:>7} calls  {used()[0]:6.1f} MB  {time.process_time() - start:7.1f} s of CPU", flush=True)
        if call % 100 == 99:
            oracle.evaluate(bitline.Genotype(layers=3, channels=4, resolution=8, classes=2 + call // 100))
        else:
            oracle.evaluate((MLP, CNN)[call % 2])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("simulations", "memory"))
    parser.add_argument("--number", type=int, default=1000)
    parser.add_argument("--jobs", type=int, default=8)
    options = parser.parse_args()
    {"simulations": simulations, "memory": memory}[options.what](options.number, options.jobs)


if __name__ == "__main__":
    sys.exit(main())
