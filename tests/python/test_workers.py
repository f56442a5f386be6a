# SPDX-License-Identifier: Apache-2.0
"""Simulations from Python run in processes of their own: many in a row, several at a time, one that crashes, one that hangs;
and other executors than the oracle's own threads."""

import concurrent.futures
import multiprocessing

import pytest

import bitline
import cli

CRASH, HANG = 13, 14


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """bitline, but for one seed it crashes and for another it hangs."""
    script = tmp_path_factory.mktemp("program") / "bitline"
    script.write_text(f"""#!/bin/sh
case " $* " in
  *" --seed {CRASH} "*) kill -SEGV $$ ;;
  *" --seed {HANG} "*) exec sleep 1000 ;;
esac
exec {cli.BITLINE} "$@"
""")
    script.chmod(0o755)
    return script


def test_one_crashes_and_one_hangs_and_nothing_else_is_lost(program):
    with bitline.CostOracle(cli.ISAAC_8BIT, "cycle", program=program, jobs=8) as oracle:
        futures = {seed: oracle.submit(cli.MLP, seed=seed, timeout=4 if seed == HANG else None) for seed in range(40)}
        results = {seed: future.exception() or future.result() for seed, future in futures.items()}
    assert isinstance(results.pop(CRASH), bitline.SimulationError)
    assert isinstance(results.pop(HANG), bitline.TimeoutError)
    assert len(results) == 38 and all(isinstance(cost, bitline.Cost) for cost in results.values())
    alone = bitline.CostOracle(cli.ISAAC_8BIT, "cycle")
    assert results[7] == alone.evaluate(cli.MLP, seed=7) and results[7].fidelity == "cycle"
    # Random inputs differ, and with them energy; times never depend on data.
    assert results[7].energy_j != results[8].energy_j and results[7].latency_s == results[8].latency_s


def test_many_in_a_row():
    oracle = bitline.CostOracle(cli.ISAAC_8BIT, "cycle")
    assert len({oracle.evaluate(cli.MLP, seed=1) .energy_j for _ in range(40)}) == 1


def test_a_structural_run():
    oracle = bitline.CostOracle(cli.ISAAC_8BIT, "structural")
    cycle = bitline.CostOracle(cli.ISAAC_8BIT, "cycle").evaluate(cli.MLP)
    assert {**oracle.evaluate(cli.MLP), "fidelity": 0} == {**cycle, "fidelity": 0}


def test_what_an_executor_loses_is_an_error_of_its_own():
    """A process of a pool that ends takes the pool with it; only what had not been evaluated is lost."""
    class Broken(concurrent.futures.ThreadPoolExecutor):
        def submit(self, function, *arguments):
            if "resnet20" in str(arguments):
                future = concurrent.futures.Future()
                future.set_exception(concurrent.futures.BrokenExecutor("a process ended"))
                return future
            return super().submit(function, *arguments)

    oracle = bitline.CostOracle(cli.ISAAC_8BIT)
    with Broken(2) as executor:
        costs = oracle.evaluate_many([cli.CNN, bitline.Workload("resnet20"), cli.MLP], executor=executor, return_errors=True)
    assert isinstance(costs[1], bitline.SimulationError) and "a process ended" in str(costs[1])
    assert [costs[0], costs[2]] == oracle.evaluate_many([cli.CNN, cli.MLP])


@pytest.mark.parametrize("pool", [
    lambda: concurrent.futures.ThreadPoolExecutor(2),
    lambda: concurrent.futures.ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")),
])
def test_any_executor(pool):
    networks = [cli.CNN, bitline.Genotype(layers=3, channels=8), cli.MLP.read_bytes(), "none.onnx", cli.CNN]
    oracle = bitline.CostOracle(cli.ISAAC_8BIT)
    with pool() as executor:
        costs = oracle.evaluate_many(networks, executor=executor, return_errors=True)
    expected = oracle.evaluate_many(networks, return_errors=True)
    assert costs[:3] == expected[:3] and costs[4] is costs[0]
    assert isinstance(costs[3], bitline.NetworkError) and str(costs[3]) == str(expected[3])
