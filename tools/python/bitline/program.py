# SPDX-License-Identifier: Apache-2.0
"""Where the bitline executable is, and calls of it."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from bitline.errors import TimeoutError, UsageError, error_of_command


def program_path(given: str | os.PathLike[str] | None = None) -> str:
    """The executable: as given, of $BITLINE, beside this package, or in the PATH."""
    if given is not None:
        return os.path.abspath(os.fspath(given))
    beside = pathlib.Path(__file__).with_name("bin") / "bitline"
    for candidate in (os.environ.get("BITLINE"), str(beside) if beside.exists() else None, shutil.which("bitline")):
        if candidate:
            return candidate
    raise UsageError("bitline: the executable is not found; allowed: program=, $BITLINE, or in the PATH")


def output_of(arguments: list[str], timeout: float | None = None, program: str | os.PathLike[str] | None = None,
              env: Mapping[str, str] | None = None) -> str:
    """What a command prints; `env` is added to the environment. Raises the BitlineError of its exit code."""
    try:
        done = subprocess.run([program_path(program), *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=timeout, check=False, env={**os.environ, **(env or {})})
    except subprocess.TimeoutExpired as expired:
        raise TimeoutError(f"{arguments[0]}: not done after {timeout} s") from expired
    if done.returncode != 0:
        raise error_of_command(done.returncode, done.stderr)
    return done.stdout


def call(arguments: list[str], timeout: float | None = None, program: str | os.PathLike[str] | None = None) -> Any:
    """The JSON tree that a command prints. Raises the BitlineError of its exit code."""
    return json.loads(output_of(arguments, timeout, program))


def main() -> None:
    """The command line of the package."""
    sys.exit(subprocess.call([program_path(), *sys.argv[1:]]))
