# SPDX-License-Identifier: Apache-2.0
"""Every kind of faulty machine: exit code 3; the message has file:line, key path, what was given, what is allowed."""

import pytest

import cli


def refused(path, *fragments, overrides=()):
    """`run` and `check` refuse the machine and say every fragment. Returns the message of `check`."""
    sets = [word for override in overrides for word in ("--set", override)]
    for command in (["run", "--network", cli.MLP, "--arch", path], ["check", "--arch", path]):
        message = cli.refuse(cli.CONFIG, *command, *sets)
        for fragment in fragments:
            assert fragment in message, message
    return message


def machine(tmp_path, text):
    path = tmp_path / "machine.yaml"
    path.write_text(text)
    return path


# Each: the lines of a file, the number of the faulty one, what the message says of it.
FAULTS = {
    "unknown key": ("crossbar:\n  rows: 128\n  colls: 128\n", 3, ["crossbar.colls", "cols"]),
    "unknown section": ("crosbar:\n  rows: 128\n", 1, ["crosbar", "crossbar"]),
    "number without its unit": ("crossbar:\n  read_latency: 100\n", 2, ["crossbar.read_latency", "100", "ns"]),
    "unit of another quantity": ("crossbar:\n  read_latency: 100 mW\n", 2, ["crossbar.read_latency", "100 mW", "ns"]),
    "unknown unit": ("crossbar:\n  read_latency: 100 parsec\n", 2, ["crossbar.read_latency", "parsec"]),
    "unit on a pure number": ("crossbar:\n  rows: 128 ns\n", 2, ["crossbar.rows", "128 ns"]),
    "negative size": ("crossbar:\n  rows: -128\n", 2, ["crossbar.rows", "-128"]),
    "zero size": ("chip:\n  tiles: 0\n", 2, ["chip.tiles", "0"]),
    "negative time": ("crossbar:\n  read_latency: -5 ns\n", 2, ["crossbar.read_latency", "-5 ns"]),
    "negative power": ("dac:\n  power: -1 mW\n", 2, ["dac.power", "-1 mW"]),
    "fraction of a row": ("crossbar:\n  rows: 128.5\n", 2, ["crossbar.rows", "128.5"]),
    "number with a tail": ("crossbar:\n  rows: 128abc\n", 2, ["crossbar.rows", "128abc"]),
    "number beyond 64 bits": ("crossbar:\n  rows: 99999999999999999999\n", 2, ["crossbar.rows"]),
    "not a number": ("adc:\n  rate: .nan GHz\n", 2, ["adc.rate"]),
    "infinite": ("adc:\n  rate: inf Hz\n", 2, ["adc.rate"]),
    "beyond doubles": ("adc:\n  rate: 1e400 Hz\n", 2, ["adc.rate"]),
    "time of less than a femtosecond": ("crossbar:\n  read_latency: 1e-20 s\n", 2, ["crossbar.read_latency"]),
    "unknown choice": (
        "encoding:\n  weights: diferential\n", 2, ["encoding.weights", "diferential", "differential", "offset"]),
    "text for a switch": ("encoding:\n  flip: perhaps\n", 2, ["encoding.flip", "perhaps", "true"]),
    "nothing": ("crossbar:\n  rows:\n", 2, ["crossbar.rows"]),
    "list for a number": ("crossbar:\n  rows: [1, 2]\n", 2, ["crossbar.rows"]),
    "map for a number": ("crossbar:\n  rows:\n    low: 1\n", 2, ["crossbar.rows"]),
    "number for a section": ("crossbar: 128\n", 1, ["crossbar"]),
    "key given twice": ("crossbar:\n  rows: 128\n  rows: 64\n", 3, ["rows"]),
    "alias": ("crossbar:\n  rows: &r 128\n  cols: *r\n", 3, []),
    "broken YAML": ("crossbar:\n  rows: [1, 2\nadc: }\n", None, []),
    "tab as indentation": ("crossbar:\n\trows: 128\n", 2, []),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_file(tmp_path, fault):
    text, line, fragments = FAULTS[fault]
    where = "machine.yaml:" + (f"{line}" if line else "")
    refused(machine(tmp_path, text), where, *fragments)


RULES = {
    "more active rows than rows": (["crossbar.rows=64", "crossbar.active_rows=128"], "crossbar.active_rows"),
    "resolutions for other slices": (["adc.resolution.policy=fixed", "adc.resolution.bits=1,3,3"],
                                     "adc.resolution.bits"),
    "slices that do not hold a weight": (["slices.widths=2,2"], "slices.widths"),
    "a slice wider than a cell": (["slices.widths=8,8", "device.bits_per_cell=2"], "slices.widths"),
    "analog subtraction without two arrays": (["encoding.weights=offset", "encoding.subtraction=analog"],
                                              "encoding.subtraction"),
    "a DAC wider than the activations": (["dac.bits=8", "precision.activations.bits=4"], "dac.bits"),
}


@pytest.mark.parametrize("rule", RULES)
def test_values_that_do_not_fit_each_other(rule):
    overrides, key = RULES[rule]
    refused(cli.ISAAC, key, overrides=overrides)


def test_all_problems_of_a_file_and_of_the_overrides_come_at_once(tmp_path):
    path = machine(tmp_path, "crossbar:\n  colls: 128\n  rows: -1\nadc:\n  rate: 5\nchip:\n  tiles: none\n")
    message = refused(path, "machine.yaml:2", "machine.yaml:3", "machine.yaml:5", "machine.yaml:7", "ima.crosbars",
                      overrides=["ima.crosbars=8"])
    assert len(message.strip().splitlines()) == 5


@pytest.mark.parametrize("override, fragments", [
    ("crossbar.colls=128", ["crossbar.colls", "cols"]), ("crossbar.rows", ["crossbar.rows"]), ("=4", ["=4"]),
    ("crossbar.rows=", ["crossbar.rows"]), ("crossbar.rows=-4", ["crossbar.rows", "-4"]),
    ("crossbar.read_latency=100", ["crossbar.read_latency", "ns"]), ("crossbar=5", ["crossbar"]),
    ("adc.rate=1 GB", ["adc.rate", "1 GB"])])
def test_a_faulty_override(override, fragments):
    refused(cli.ISAAC, "--set", *fragments, overrides=[override])


def test_a_file_that_is_not_there(tmp_path):
    refused(tmp_path / "absent.yaml", "absent.yaml")


def test_a_folder(tmp_path):
    refused(tmp_path, tmp_path.name)


@pytest.mark.parametrize("content", [b"\x00\xff\xfe" * 100, b"- a\n- b\n", b"just words\n"],
                         ids=["binary", "list", "words"])
def test_a_file_that_is_no_machine(tmp_path, content):
    path = tmp_path / "machine.yaml"
    path.write_bytes(content)
    refused(path, "machine.yaml")


def test_deep_nesting_does_not_overflow_the_stack(tmp_path):
    refused(machine(tmp_path, "[" * 100_000), "machine.yaml")


@pytest.mark.parametrize("config", [cli.ISAAC, cli.ISAAC_8BIT, cli.BITSLICE], ids=lambda p: p.stem)
def test_the_shipped_machines_are_sound(config):
    cli.succeed("check", "--arch", config)
