# SPDX-License-Identifier: Apache-2.0
"""The cost oracle: one network, many, or in the background."""

from __future__ import annotations

import concurrent.futures
import functools
import json
import os
import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bitline import _core
from bitline.cost import Cost
from bitline.errors import BitlineError, SimulationError, TimeoutError, error_of
from bitline.networks import Network, request_of
from bitline.program import program_path

_Job = tuple[str, "bytes | None"]


def _text(request: Mapping[str, Any]) -> str:
    return json.dumps(request, sort_keys=True, separators=(",", ":"))


@functools.lru_cache(maxsize=None)
def _core_of(program: str, cache: str | None, process: int) -> _core.Oracle:
    """One per process: machines and networks stay loaded in it."""
    try:
        return _core.Oracle(program, cache)
    except ValueError as error:
        raise error_of(json.loads(str(error))) from None


def _answer(program: str, cache: str | None, job: _Job) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(_core_of(program, cache, os.getpid()).answer(*job))
    return answer


def _cost(answer: dict[str, Any]) -> Cost:
    if "error" in answer:
        raise error_of(answer["error"])
    return Cost(answer["cost"])


def _evaluate(program: str, cache: str | None, job: _Job) -> Cost:
    """What runs in the processes of an executor: all of it pickles."""
    return _cost(_answer(program, cache, job))


def _settled(future: concurrent.futures.Future[Cost]) -> Cost | BitlineError:
    """A cost or why there is none; an executor that lost its process is a SimulationError of what ran there."""
    try:
        return future.result()
    except BitlineError as error:
        return error
    except Exception as error:  # noqa: BLE001 - whatever an executor raises
        return SimulationError(f"the executor did not evaluate it: {type(error).__name__}: {error}")


class CostOracle:
    """What networks cost on a machine.

    arch: path of a YAML machine; set: overrides, {"adc.rate": "2 GS/s"}; fidelity: "analytic" (equations, milliseconds), "cycle"
    or "structural" (simulations, each in a process of its own, so that a crash or a hang stays there); batch: images streamed;
    jobs: evaluations at once in evaluate_many and submit (default: one per processor); cache: a file in which costs are kept, and
    looked up, also by other processes (made if it is missing); program: the bitline executable.
    """

    def __init__(self, arch: str | os.PathLike[str], fidelity: str = "analytic", *, set: Mapping[str, Any] | None = None,
                 batch: int = 1, seed: int = 1, activity: Mapping[str, float] | None = None, jobs: int | None = None,
                 cache: str | os.PathLike[str] | None = None, program: str | os.PathLike[str] | None = None) -> None:
        self._common: dict[str, Any] = {"arch": os.path.abspath(os.fspath(arch)), "fidelity": fidelity, "batch": batch, "seed": seed}
        if set:
            self._common["set"] = dict(set)
        if activity:
            self._common["activity"] = dict(activity)
        self._program = program_path(program)
        self._cache = os.path.abspath(os.fspath(cache)) if cache is not None else None
        self._jobs = jobs or os.cpu_count() or 1
        self._pool: concurrent.futures.ThreadPoolExecutor | None = None
        self._lock = threading.Lock()

    @property
    def program(self) -> str:
        """The bitline executable that simulates."""
        return self._program

    def evaluate(self, network: Network, *, layers: bool = False, timeout: float | None = None,
                 input_shape: Sequence[int] | None = None, seed: int | None = None) -> Cost:
        """The cost of a network; with a row per layer in `.layers` if asked. Raises a BitlineError; `timeout` in seconds."""
        return _cost(_answer(self._program, self._cache, self._job(network, layers, timeout, input_shape, seed)))

    def submit(self, network: Network, *, layers: bool = False, timeout: float | None = None,
               input_shape: Sequence[int] | None = None, seed: int | None = None,
               executor: concurrent.futures.Executor | None = None) -> concurrent.futures.Future[Cost]:
        """The same in the background. The timeout counts from the start of the evaluation. executor: as of evaluate_many."""
        job = self._job(network, layers, timeout, input_shape, seed)
        return (executor or self._executor()).submit(_evaluate, self._program, self._cache, job)

    def evaluate_many(self, networks: Iterable[Network], *, layers: bool = False, timeout: float | None = None,
                      input_shape: Sequence[int] | None = None, return_errors: bool = False,
                      executor: concurrent.futures.Executor | None = None) -> list[Any]:
        """The costs of networks, in their order; equal ones are evaluated once.

        timeout: seconds for each. return_errors: a BitlineError takes the place of a cost instead of being raised (after all have
        been evaluated). executor: any concurrent.futures.Executor (a process pool, Dask's client.get_executor(), MPI), whose
        processes must find the machine's file, networks given as paths, and the bitline executable under the same names;
        without, threads of this process.
        """
        jobs = [self._job(network, layers, timeout, input_shape, None) for network in networks]
        pool = executor or self._executor()
        futures = {job: pool.submit(_evaluate, self._program, self._cache, job) for job in dict.fromkeys(jobs)}
        results = {job: _settled(future) for job, future in futures.items()}
        for result in results.values():
            if isinstance(result, BitlineError) and not return_errors:
                raise result
        return [results[job] for job in jobs]

    def _job(self, network: Network, layers: bool, timeout: float | None, input_shape: Sequence[int] | None,
             seed: int | None) -> _Job:
        given, data = request_of(network, input_shape)
        request = {**self._common, **given}
        if layers:
            request["answer"] = "layers"
        if timeout is not None:
            if timeout <= 0:
                raise TimeoutError("the timeout is over before the evaluation starts")
            request["timeout"] = timeout
        if seed is not None:
            request["seed"] = seed
        return _text(request), data

    def _executor(self) -> concurrent.futures.ThreadPoolExecutor:
        with self._lock:
            if self._pool is None:
                self._pool = concurrent.futures.ThreadPoolExecutor(self._jobs, thread_name_prefix="bitline")
            return self._pool

    def __getstate__(self) -> dict[str, Any]:
        return {"common": self._common, "program": self._program, "cache": self._cache, "jobs": self._jobs}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._common, self._program, self._cache, self._jobs = (state[key] for key in ("common", "program", "cache", "jobs"))
        self._pool, self._lock = None, threading.Lock()

    def __enter__(self) -> CostOracle:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the background threads, when what was submitted is done."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown()
