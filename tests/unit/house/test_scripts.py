# SPDX-License-Identifier: Apache-2.0
"""The scripts of tools/ explain themselves, refuse what they do not know, and work without a terminal."""

import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
SCRIPTS = ["tools/quickstart", "tools/test", "tools/check-style", "tools/install-dependencies", "tools/fuzz"]


def run(script, *arguments, cwd=ROOT, **env):
    return subprocess.run([str(ROOT / script), *arguments], cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=60, env={**os.environ, **env}, check=False)


@pytest.mark.parametrize("script", SCRIPTS)
def test_help_is_on_stdout_from_any_folder(script, tmp_path):
    done = run(script, "--help", cwd=tmp_path)
    assert done.returncode == 0 and done.stdout.startswith(f"usage: {script}") and done.stderr == ""


@pytest.mark.parametrize("script", SCRIPTS)
def test_an_unknown_option_is_refused(script):
    done = run(script, "--faster")
    assert done.returncode == 2 and "'--faster'" in done.stderr and done.stdout == ""


@pytest.mark.parametrize("number", ["0", "-1", "many", ""])
@pytest.mark.parametrize("script, option", [("tools/test", "--jobs"), ("tools/fuzz", "--jobs"),
                                            ("tools/fuzz", "--seconds")])
def test_a_wrong_number_is_refused(script, option, number):
    done = run(script, option, number)
    assert done.returncode == 2 and option in done.stderr


def test_the_fuzz_script_knows_the_targets():
    targets = {p.name[:-len("_target.cpp")] for p in (ROOT / "tests" / "fuzz").glob("*_target.cpp")}
    assert f"TARGET       {' '.join(sorted(targets))} (" in run("tools/fuzz", "--help").stdout
    done = run("tools/fuzz", "toaster")
    assert done.returncode == 2 and "'toaster'" in done.stderr


def test_the_ci_script_runs_all_checks_without_stdin():
    assert "tools/test </dev/null" in (ROOT / ".ci" / "run").read_text()
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def fake_commands(folder, installed):
    """dpkg-query that knows `installed`; apt-get that writes down its calls and fails on `install`."""
    for name, body in {
        "dpkg-query": f'case " {" ".join(installed)} " in *" ${{@: -1}} "*) echo -n installed ;; *) exit 1 ;; esac',
        "apt-get": f'echo "$@" >> {folder}/calls; case "$*" in *install*) echo "E: no network"; exit 100 ;; esac',
        "id": "echo 0",
    }.items():
        (folder / name).write_text(f"#!/bin/bash\n{body}\n")
        (folder / name).chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


def packages(*arguments):
    return run("tools/install-dependencies", "--list", *arguments).stdout.split()


def test_nothing_is_installed_when_all_is_there(tmp_path):
    done = run("tools/install-dependencies", PATH=fake_commands(tmp_path, packages()))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not (tmp_path / "calls").exists()


def test_only_what_is_missing_is_installed_and_a_failure_is_told(tmp_path):
    there = [p for p in packages("--tests") if p not in ("ccache", "python3-torch")]
    done = run("tools/install-dependencies", "--tests", PATH=fake_commands(tmp_path, there))
    assert done.returncode == 1 and "E: no network" in done.stderr and "failed" in done.stderr
    update, install = (tmp_path / "calls").read_text().splitlines()
    assert update.endswith("update") and install.endswith("install --no-install-recommends ccache python3-torch")
