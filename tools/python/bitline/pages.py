# SPDX-License-Identifier: Apache-2.0
"""Pages of results."""

from __future__ import annotations

import json
import os
import pathlib
import tempfile
from collections.abc import Mapping
from typing import Any

from bitline.program import call


def report(result: Mapping[str, Any] | str | os.PathLike[str], out: str | os.PathLike[str], *,
           timeout: float | None = None, program: Any = None) -> pathlib.Path:
    """`bitline report`: one HTML file that opens offline; returns its path.

    result: the tree of `simulate`, or the path of a result.json or of the folder of `bitline run --out`. Raises UsageError
    where it is no result, or `out` cannot be written.
    """
    if not isinstance(result, Mapping):
        call(["report", os.fspath(result), "--out", os.fspath(out), "--json"], timeout, program)
        return pathlib.Path(out)
    with tempfile.TemporaryDirectory(prefix="bitline-") as folder:
        (pathlib.Path(folder) / "result.json").write_text(json.dumps(dict(result)), encoding="utf-8")
        return report(folder, out, timeout=timeout, program=program)
