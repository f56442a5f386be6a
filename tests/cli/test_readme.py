# SPDX-License-Identifier: Apache-2.0
"""README.md is run: every ```sh block, in order, in one shell session's folder; outputs that it shows are compared.

A block under `<!-- not run: reason -->` is left out. A ```text block right after a run block is its standard output;
words must be equal and numbers within 1 % (float kernels differ in the last digit between processors).
"""

import os
import re
import subprocess

import pytest

import cli

README = (cli.ROOT / "README.md").read_text()
BLOCK = re.compile(r"(?:<!-- (not run: [^>]*) -->\n)?```(\w+)\n(.*?)```", re.S)
NUMBER = re.compile(r"[-+]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?")


def blocks():
    """[(commands, expected output or None)] of the blocks that are run."""
    found, last_run = [], False
    for skipped, language, text in BLOCK.findall(README):
        if language == "sh" and not skipped:
            found.append([text, None])
        elif language == "text" and last_run:
            found[-1][1] = text
        last_run = language == "sh" and not skipped
    return found


def words(text):
    return NUMBER.sub("#", text).split()


def numbers(text):
    return [float(n.replace(",", "")) for n in NUMBER.findall(text)]


def same(shown, real):
    """Equal words and nearly equal numbers; a line "..." stands for lines that are left out."""
    if "...\n" in shown:
        kept = [part for part in shown.split("...\n") if part]
        lines, at = real.splitlines(keepends=True), 0
        for part in kept:
            size = part.count("\n")
            at = next((i + size for i in range(at, len(lines) - size + 1) if same(part, "".join(lines[i:i + size]))), None)
            if at is None:
                return False
        return True
    return words(shown) == words(real) and numbers(shown) == pytest.approx(numbers(real), rel=0.01)


def test_the_comparison_tells_outputs_apart():
    assert same("latency 10.0 us\n", "latency 10.01 us\n") and not same("latency 10 us\n", "latency 11 us\n")
    assert not same("latency 10 us\n", "latency 10 ms\n") and not same("a 1\n", "a 1 2\n")
    assert same("a 1\n...\nc 3\n", "a 1\nb 2\nc 3\n") and not same("a 1\n...\nd 3\n", "a 1\nb 2\nc 3\n")


def test_the_commands_of_the_readme_work_and_print_what_it_shows(tmp_path):
    for name in ("configs", "workloads"):
        (tmp_path / name).symlink_to(cli.ROOT / name)
    path = f"{cli.BITLINE.parent}{os.pathsep}{os.environ['PATH']}"
    run = blocks()
    assert len(run) >= 5 and sum(shown is not None for _, shown in run) >= 2
    for commands, shown in run:
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", commands], cwd=tmp_path, env={**os.environ, "PATH": path},
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, (commands, done.stderr)
        if shown is not None:
            assert same(shown, done.stdout), (commands, done.stdout)
