# SPDX-License-Identifier: Apache-2.0
"""evaluate_many and submit on the processes of Dask distributed, one of which is killed on the way."""

import concurrent.futures
import os
import signal
import threading
import time

import pytest

import bitline
import cli

distributed = pytest.importorskip("distributed")
pytestmark = pytest.mark.filterwarnings("ignore")  # of Dask and what it imports

ORACLE = bitline.CostOracle(cli.ISAAC_8BIT)
NETWORKS = [bitline.Genotype(("DARTS_V1", "DARTS_V2", "PC_DARTS")[n % 3], layers=5, channels=4 * (n // 3 % 6 + 1), classes=10 + n // 18)
            for n in range(72)] + ["none.onnx", cli.CNN, cli.CNN.read_bytes(), cli.CNN]


@pytest.fixture(scope="module")
def client():
    """Three worker processes with a nanny each, which starts a new one for one that ends."""
    with distributed.LocalCluster(n_workers=3, threads_per_worker=1, processes=True, dashboard_address=None) as cluster, \
            distributed.Client(cluster) as connected:
        connected.run(__import__, "bitline")
        yield connected


def kill_one(client, evaluation, finished):
    """A worker, when some evaluations are done and others are not."""
    while finished() < 5:
        assert not evaluation.done()
        time.sleep(0.002)
    process = next(iter(client.run(os.getpid).values()))
    assert not evaluation.done()
    os.kill(process, signal.SIGKILL)
    return process


def test_a_killed_worker_loses_nothing(client):
    count = threading.Semaphore(0)
    done = []

    class Counting(concurrent.futures.Executor):
        """Dask's executor, with its results counted."""

        def __init__(self):
            self.inner = client.get_executor(retries=3)

        def submit(self, *arguments, **options):
            future = self.inner.submit(*arguments, **options)
            future.add_done_callback(lambda f: (done.append(f), count.release()))
            return future

    with concurrent.futures.ThreadPoolExecutor(1) as thread:
        evaluation = thread.submit(ORACLE.evaluate_many, NETWORKS, executor=Counting(), return_errors=True)
        killed = kill_one(client, evaluation, lambda: len(done))
        costs = evaluation.result(timeout=120)
    alone = ORACLE.evaluate_many(NETWORKS, return_errors=True)
    assert isinstance(costs[72], bitline.NetworkError) and str(costs[72]) == str(alone[72])
    assert costs[:72] == alone[:72] and costs[73:] == alone[73:] and costs[73] is costs[75]
    assert killed not in client.run(os.getpid).values()


def test_a_future_of_dask(client):
    futures = [bitline.CostOracle(cli.ISAAC_8BIT, "cycle").submit(network, executor=client.get_executor()) for network in (cli.MLP, b"x")]
    assert futures[0].result().energy_j == bitline.CostOracle(cli.ISAAC_8BIT, "cycle").evaluate(cli.MLP).energy_j
    assert isinstance(futures[1].exception(), bitline.NetworkError)


def test_the_oracle_itself_travels(client):
    assert client.submit(ORACLE.evaluate, cli.MLP).result() == ORACLE.evaluate(cli.MLP)
    error = client.submit(ORACLE.evaluate, "none.onnx").exception()
    assert isinstance(error, bitline.NetworkError) and error.code == 4 and error.problems
