# SPDX-License-Identifier: Apache-2.0
"""One exception per exit code of the command line."""

from __future__ import annotations

import builtins
from typing import Any, NamedTuple


class Problem(NamedTuple):
    """One fault of an input."""

    where: str
    given: str
    allowed: str = ""
    remedy: str = ""


class BitlineError(Exception):
    """Base of all; `code` is the exit code that the command line would have, `problems` lists every fault."""

    code = 6

    def __init__(self, message: str, problems: tuple[Problem, ...] = ()) -> None:
        super().__init__(message, problems)
        self.message = message
        self.problems = tuple(problems)

    def __str__(self) -> str:
        return self.message


class UsageError(BitlineError, ValueError):
    """Wrong arguments."""

    code = 2


class ConfigError(BitlineError, ValueError):
    """The architecture is wrong."""

    code = 3


class NetworkError(BitlineError, ValueError):
    """The network is damaged or not supported."""

    code = 4


class MappingError(BitlineError):
    """The network does not fit the chip."""

    code = 5


class SimulationError(BitlineError, RuntimeError):
    """The simulation failed, or its process ended."""

    code = 6


class TimeoutError(BitlineError, builtins.TimeoutError):
    """The timeout was reached."""

    code = 7


_BY_CODE = {kind.code: kind for kind in (UsageError, ConfigError, NetworkError, MappingError, SimulationError, TimeoutError)}


def error_of(answer: dict[str, Any]) -> BitlineError:
    """The exception of an answer's "error"."""
    problems = tuple(Problem(**problem) for problem in answer["problems"])
    return _BY_CODE.get(answer["code"], SimulationError)(answer["message"], problems)


def error_of_command(code: int, stderr: str) -> BitlineError:
    """The exception of a command line that failed."""
    start = "bitline: error: "
    lines = [line.removeprefix(start) for line in stderr.splitlines() if line.startswith(start)]
    message = "\n".join(lines) or stderr.strip() or f"the process ended with code {code}"
    return _BY_CODE.get(code, SimulationError)(message, tuple(Problem(*line.partition(": ")[::2]) for line in lines))
