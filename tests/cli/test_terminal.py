# SPDX-License-Identifier: Apache-2.0
"""What every command prints fits 80 columns; tables as JSON; silence on request; completion in the shells that are there."""

import json
import os
import pathlib
import pty
import re
import shutil
import subprocess
import tempfile

import onnx
import pytest

import cli

ON = ["--arch", cli.ISAAC_8BIT, "--network"]
IMAGES = ["--input", cli.TEST_X, "--labels", cli.TEST_Y]


@pytest.fixture(scope="module")
def long_names(tmp_path_factory):
    """The digits network with names as long as exporters make them."""
    model = onnx.load(cli.CNN)
    for node in model.graph.node:
        node.name = f"/backbone/features/stage.{len(node.name)}/residual_block/{node.name or node.output[0]}/Operation_with_a_long_name"
    file = tmp_path_factory.mktemp("names") / "network-with-a-rather-long-file-name-that-says-what-it-holds.onnx"
    onnx.save(model, file)
    return file


SWEEP = f"""arch: {cli.ISAAC_8BIT}
network: {cli.MLP}
mode: analytic
axes:
  tile.output_register.capacity: [1 KiB, 2 KiB]
  crossbar.active_rows: [64, 200]
  a rather long name of an axis whose settings change together:
    - {{label: the first of two labels that are long, adc.rate: 1 GS/s, crossbar.read_latency: 100 ns}}
    - {{label: short, adc.rate: 2 GS/s}}
"""


@pytest.fixture(scope="module")
def commands(long_names, tmp_path_factory):
    """{name: arguments} of every command that prints a table."""
    out = tmp_path_factory.mktemp("out")
    cli.succeed("run", *ON, cli.MLP, "--out", out / "a", "--quiet")
    cli.succeed("run", *ON, cli.CNN, "--out", out / "b", "--quiet", "--set", "mapping.replication=balanced")
    (out / "sweep.yaml").write_text(SWEEP)
    subprocess.run([cli.BITLINE, "oracle", "--cache", out / "costs.db"], input=json.dumps({"network": str(cli.MLP), "arch": str(cli.ISAAC_8BIT)}) + "\n",
                   text=True, check=True, stdout=subprocess.DEVNULL)
    return {
        "run": ["run", *ON, long_names, *IMAGES, "--batch", 3, "--timeline"],
        "run structural": ["run", *ON, cli.MLP, "--mode", "structural"],
        "run analytic": ["run", *ON, long_names, "--mode", "analytic"],
        "run device": ["run", *ON, cli.MLP, *IMAGES, "--trials", 2, "--set", "device.variation.model=normal"],
        "run phases": ["run", *ON, long_names, "--set", "chip.tiles=1", "--set", "tile.imas=2", "--set", "mapping.oversize=reprogram"],
        "infer": ["infer", "--network", long_names, *IMAGES],
        "map": ["map", *ON, long_names],
        "map prune": ["map", *ON, long_names, "--set", "mapping.prune=rows_cols"],
        "slices": ["slices", "--arch", cli.BITSLICE, "--network", long_names],
        "adc": ["adc", *ON, cli.MLP, *IMAGES, "--sweep"],
        "show": ["show", long_names, "--arch", cli.ISAAC],
        "quantize": ["quantize", long_names, "--calibrate", cli.CALIBRATION, "--out", out / "q.onnx"],
        "check arch": ["check", cli.CONFIGS / "puma.yaml"],
        "check network": ["check", long_names],
        "fidelity": ["fidelity", "--small", "--batch", 2, "--arch", f"{cli.ISAAC_8BIT},mapping.replication=balanced,adc.resolution.policy=isaac"],
        "lut": ["lut", "--arch", cli.ISAAC_8BIT, "--layers", 4, "--channels", 4],
        "lut lists": ["lut", "--arch", cli.ISAAC_8BIT, "--channels", "16,128", "--resolution", "32,8"],
        "cache": ["cache", out / "costs.db"],
        "report": ["report", out / "a", "--out", out / "a.html", "--latex", out / "tables", "--csv", out / "csv"],
        "sweep": ["sweep", out / "sweep.yaml", "--out", out / "sweep"],
        "workload": ["workload", "list"],
        "compare": ["compare", out / "a", out / "b"],
    }


NAMES = ["run", "run structural", "run analytic", "run device", "run phases", "infer", "map", "map prune", "slices", "adc", "show",
         "quantize", "check arch", "check network", "fidelity", "lut", "lut lists", "cache", "report", "sweep", "workload", "compare"]
# What they print is a note of what was written or found right, not a result.
NOTES = {"report", "quantize", "check arch", "check network"}


def fits(text):
    wide = [line for line in text.splitlines() if len(line) > 80]
    assert not wide, wide


@pytest.mark.parametrize("name", NAMES)
def test_tables_fit_the_screen_come_as_json_and_are_silent_on_request(commands, name):
    assert set(commands) == set(NAMES)
    said = cli.succeed(*commands[name])
    assert said.out.strip() and "\x1b" not in said.out + said.err and "#" not in said.err
    fits("\n".join(line for line in said.out.splitlines() if not re.match(r"(ok  )?/", line)))  # a path as given
    assert json.loads(cli.succeed(*commands[name], "--json").out)
    seen, printed = in_terminal(*commands[name], "--quiet")
    assert seen == "" and printed == ("" if name in NOTES else said.out)


def test_json_that_is_asked_for_is_printed_quietly_too(commands):
    assert json.loads(cli.succeed(*commands["report"], "--quiet", "--json").out)["bytes"] > 0


def test_what_makes_files_or_answers_requests_is_silent_on_request(tmp_path):
    make = ["workload", "make", "lenet5", "-o", tmp_path / "a.onnx"]
    assert cli.succeed(*make).out == f"{tmp_path / 'a.onnx'}: {cli_count((tmp_path / 'a.onnx').stat().st_size)} bytes\n"
    assert in_terminal(*make, "--quiet") == ("", "")
    request = json.dumps({"network": str(cli.MLP), "arch": str(cli.ISAAC_8BIT)}) + "\n"
    done = subprocess.run([cli.BITLINE, "oracle", "--quiet", "--cache", tmp_path / "c.db"], input=request, text=True, check=True, capture_output=True)
    assert done.stderr == "" and json.loads(done.stdout)
    assert cli.succeed("cache", "--clear", "--quiet", tmp_path / "c.db").out == ""
    assert json.loads(cli.succeed("cache", "--json", tmp_path / "c.db").out)["answers"] == 0


def cli_count(number):
    """As the program groups digits: 37 227 221; numbers below 10 000 stay whole."""
    return f"{number:,}".replace(",", " ") if number >= 10_000 else str(number)


def subcommands():
    listed = cli.succeed("--help").out.partition("Subcommands:")[2].partition("\n\n")[0]
    return re.findall(r"^  ([a-z]+) ", listed, re.M)


def test_every_help_fits_the_screen():
    names = subcommands()
    assert {"run", "compare", "report", "completion", "help", "adc"} <= set(names)
    fits(cli.succeed("--help").out)
    for name in names:
        fits(cli.succeed(name, "--help").out)
    assert set(names) == {name.split()[0] for name in NAMES} | {"oracle", "completion", "help"}, "a new command: add it to those above"
    assert {name for name in names if "--quiet" not in cli.succeed(name, "--help").out} == {"completion", "help", "workload"}
    assert all("--quiet" in cli.succeed("workload", name, "--help").out for name in ("list", "make"))


def in_terminal(*arguments):
    """What a command writes to standard error where that is a terminal, and to standard output, a file."""
    master, slave = pty.openpty()
    with tempfile.TemporaryFile("w+") as out:
        done = subprocess.Popen([str(cli.BITLINE), *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=out, stderr=slave)
        os.close(slave)
        seen = b""
        try:
            while chunk := os.read(master, 65536):
                seen += chunk
        except OSError:  # the other end is closed
            pass
        os.close(master)
        assert done.wait(120) == 0
        out.seek(0)
        return seen.decode(), out.read()


def test_a_bar_is_drawn_on_a_terminal_only_and_not_when_quiet():
    run = ["run", *ON, cli.MLP, *IMAGES, "--mode", "cycle"]
    assert "[####" in in_terminal(*run)[0]
    assert in_terminal(*run, "--quiet")[0] == ""
    assert "[" not in cli.succeed(*run).err


def complete_in_bash(line, cwd):
    """What pressing Tab would offer."""
    script = f"""source <(bitline completion bash)
COMP_LINE={line!r} COMP_POINT={len(line)} COMP_WORDS=(bitline) COMP_WORDBREAKS=$' \\t\\n"\\'><=;|&(:'
compopt() {{ :; }}
_bitline && printf '%s\\n' "${{COMPREPLY[@]}}"
complete -p bitline"""
    path = f"{cli.BITLINE.parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(["bash", "--norc", "-c", script], capture_output=True, text=True, check=True, cwd=cwd, env={**os.environ, "PATH": path})
    assert done.stderr == ""
    *words, how = done.stdout.splitlines()
    assert how == "complete -o default -F _bitline bitline"
    return [word for word in words if word]


@pytest.mark.parametrize("line, offered", [
    ("bitline comp", ["compare", "completion"]), ("bitline run --bat", ["--batch"]), ("bitline run --mode ", ["analytic", "cycle", "structural"]),
    ("bitline run --set adc.resolution.pol", ["adc.resolution.policy="]),
    ("bitline run --set adc.resolution.policy=l", ["lossless"]), ("bitline run --arch con", []), ("bitline help unit", ["units"])])
def test_completion_in_bash(tmp_path, line, offered):
    assert complete_in_bash(line, tmp_path) == offered


@pytest.mark.skipif(shutil.which("fish") is None, reason="no fish")
def test_completion_in_fish(tmp_path):
    (tmp_path / "machine.yaml").write_text("")
    env = {**os.environ, "PATH": f"{cli.BITLINE.parent}{os.pathsep}{os.environ['PATH']}", "HOME": str(tmp_path)}
    for line, offered in (("bitline comp", ["compare", "completion"]), ("bitline run --mode cy", ["cycle"]), ("bitline run --arch mach", ["machine.yaml"])):
        script = f"bitline completion fish | source; complete -C {line!r}"
        done = subprocess.run(["fish", "--no-config", "-c", script], capture_output=True, text=True, check=True, cwd=tmp_path, env=env)
        assert [word.split("\t")[0] for word in done.stdout.splitlines()] == offered, line


@pytest.mark.skipif(shutil.which("zsh") is None, reason="no zsh")
def test_completion_in_zsh(tmp_path):
    script = """autoload -Uz compinit; compinit -u -d dump; source <(bitline completion zsh)
[[ ${_comps[bitline]} == _bitline ]] || exit 9
compadd() { shift $(( $# - 1 )); print -l -- ${(P)1}; }; _files() { print files; }
words=(bitline run --mode ''); CURRENT=4; _bitline
words=(bitline run --arch x); CURRENT=4; _bitline"""
    env = {**os.environ, "PATH": f"{cli.BITLINE.parent}{os.pathsep}{os.environ['PATH']}", "HOME": str(tmp_path)}
    done = subprocess.run(["zsh", "-f", "-c", script], capture_output=True, text=True, check=True, cwd=tmp_path, env=env)
    assert done.stdout.split() == ["analytic", "cycle", "structural", "files"]


def test_completion_can_be_installed(tmp_path):
    for shell in ("bash", "zsh", "fish"):
        file = pathlib.Path(tmp_path / shell)
        file.write_text(cli.succeed("completion", shell).out)
        if shutil.which(shell):
            subprocess.run([shell, "-n", file], check=True)
