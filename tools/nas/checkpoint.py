# SPDX-License-Identifier: Apache-2.0
"""Files that are there as a whole or not at all, and states from which a training goes on as if it had never stopped."""

from __future__ import annotations

import io
import os
import pathlib
import random
import zipfile
from typing import Any

import numpy
import torch


def write_atomically(path: pathlib.Path, data: bytes) -> None:
    """Replaces a file by a complete new one; a kill at any point leaves the old or the new one."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def random_states() -> dict[str, Any]:
    """Of all generators that a training draws from."""
    states: dict[str, Any] = {"python": random.getstate(), "numpy": numpy.random.get_state(), "torch": torch.get_rng_state()}
    if torch.cuda.is_available():
        states["cuda"] = torch.cuda.get_rng_state_all()
    return states


def set_random_states(states: dict[str, Any]) -> None:
    random.setstate(states["python"])
    numpy.random.set_state(states["numpy"])
    torch.set_rng_state(states["torch"])
    if "cuda" in states and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(states["cuda"])


def seed_all(seed: int) -> None:
    random.seed(seed)
    numpy.random.seed(seed % 2 ** 32)
    torch.manual_seed(seed)


def save(path: pathlib.Path, state: dict[str, Any]) -> None:
    """A checkpoint: `state` and the states of all random generators."""
    buffer = io.BytesIO()
    torch.save({**state, "random": random_states()}, buffer)
    write_atomically(path, buffer.getvalue())


def load(path: pathlib.Path, device: torch.device) -> dict[str, Any] | None:
    """The state of a checkpoint, with the random generators set to theirs; None: there is no checkpoint.

    Raises ValueError for a file that is no checkpoint.
    """
    if not path.exists():
        return None
    try:
        state = torch.load(path, map_location=device)
    except (RuntimeError, EOFError, OSError, ValueError, zipfile.BadZipFile, KeyError) as error:
        raise ValueError(f"{path}: not a checkpoint ({str(error).splitlines()[0]}); remove it to start this stage anew") from None
    states = state.pop("random")
    states["torch"] = states["torch"].cpu()
    if "cuda" in states:
        states["cuda"] = [s.cpu() for s in states["cuda"]]
    set_random_states(states)
    return state
