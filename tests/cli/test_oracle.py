# SPDX-License-Identifier: Apache-2.0
"""`bitline oracle`: JSON lines in, JSON lines out, in order; whatever a line holds, the process goes on."""

import contextlib
import json
import random
import subprocess

import pytest

import cli


def ask(*requests, arguments=("--arch", cli.ISAAC_8BIT), jobs=1):
    lines = [r if isinstance(r, bytes) else json.dumps(r).encode() for r in requests]
    done = subprocess.run([cli.BITLINE, "oracle", "--jobs", str(jobs), *map(str, arguments)], input=b"\n".join(lines) + b"\n",
                          capture_output=True, timeout=120, check=False)
    assert done.returncode == cli.OK and done.stderr == b"", done
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(requests)
    return answers


def run(mode, *arguments, network=cli.CNN, arch=cli.ISAAC_8BIT):
    answer = cli.succeed("run", "--mode", mode, "--arch", arch, "--network", network, "--json", "--quiet", *arguments)
    return json.loads(answer.out)


@pytest.mark.parametrize("fidelity", ["analytic", "cycle"])
def test_costs_are_those_of_the_command_line(fidelity):
    (answer,) = ask({"id": "a", "network": str(cli.CNN), "fidelity": fidelity, "batch": 2, "seed": 5, "answer": "layers",
                     "set": {"crossbar.read_latency": "120 ns"}})
    result = run(fidelity, "--batch", 2, "--seed", 5, "--set", "crossbar.read_latency=120 ns")
    cost = answer["cost"]
    assert answer["id"] == "a" and cost["fidelity"] == fidelity
    assert cost["latency_s"] == result["latency_s"]["image"] and cost["interval_s"] == result["latency_s"]["interval"]
    assert cost["energy_j"] == result["energy_j"]["total"] and cost["area_mm2"] == result["area_mm2"]["total"]
    assert cost["edp_js"] == pytest.approx(cost["latency_s"] * cost["energy_j"], rel=1e-12)
    assert [row["energy_j"] for row in cost["layers"]] == [row["energy_j"]["total"] for row in result["layers"]]
    assert ("expected_error" in cost) == (fidelity == "analytic")


def test_the_whole_result_is_that_of_the_command_line():
    (answer,) = ask({"network": str(cli.CNN), "answer": "result"})
    expected = run("analytic")
    for tree in (answer["result"], expected):
        tree.pop("wall_time_s")
    assert answer["result"] == expected


def test_a_genotype_costs_what_its_network_costs(tmp_path):
    cell = [["sep_conv_3x3", 0], ["skip_connect", 1]] * 4
    genotype = {"normal": cell, "reduce": cell}
    (tmp_path / "g.json").write_text(json.dumps(genotype))
    cli.succeed("workload", "make", "darts", "--genotype", tmp_path / "g.json", "--layers", 3, "--channels", 8,
                "-o", tmp_path / "net.onnx")
    shape = {"layers": 3, "channels": 8}
    answers = ask({"genotype": genotype, **shape}, {"network": str(tmp_path / "net.onnx")},
                  {"workload": "darts", **shape}, {"genotype": "DARTS_V2", **shape})
    assert answers[0] == answers[1] and answers[2] == answers[3] != answers[0]


@pytest.mark.parametrize("jobs", [1, 4])
def test_answers_come_in_the_order_of_requests(jobs):
    requests = [{"id": n, "genotype": "DARTS_V2", "layers": 3, "channels": 4 * (n % 5 + 1)} for n in range(20)]
    requests[7] = {"id": 7, "network": str(cli.CNN), "fidelity": "cycle"}
    answers = ask(*requests, jobs=jobs)
    assert [a["id"] for a in answers] == list(range(20)) and answers[7]["cost"]["fidelity"] == "cycle"
    assert answers == ask(*requests)


BAD = [
    (b"no json", 2, "is no JSON"), (b'{"id": 1', 2, "is no JSON"), (b"\xff\xfe", 2, "is no JSON"), (b"[1]", 2, "is no object"),
    (b"7", 2, "is no object"), (b"null", 2, "is no object"), (b"[" * 100_000, 2, "64 deep"),
    (b'{"network": "a.onnx", "set": {"a": [[["[[]"]]]}}', 3, "--set: a: unknown key"),
    *[(b'{"%s": ' % key + b"[" * 300_000 + b"]" * 300_000 + b"}", 2, "64 deep") for key in (b"id", b"batch", b"genotype", b"set")],
    (b"x" * (65 << 20), 2, "longer than 64 MiB"), (b'"' + b"[" * 100, 2, "is no JSON"),
    ({}, 2, "request.network: is missing"), ({"network": 7}, 2, "request.network: is no text"),
    ({"network": "a", "genotype": "DARTS_V2"}, 2, "given in several ways"),
    ({"network": "a.onnx", "batch": 0, "speed": 1}, 2, "request.batch: is 0; allowed: a whole number from 1 to 1000000"),
    ({"network": "a.onnx", "batch": 1e99}, 2, "request.batch"), ({"network": "a.onnx", "seed": 2**64 - 1}, 2, "request.seed"),
    ({"network": "a.onnx", "fidelity": "guess"}, 2, "allowed: analytic, cycle, structural"),
    ({"network": "a.onnx", "activity": {"speed": 1}}, 2, "request.activity.speed: unknown factor"),
    ({"network": "a.onnx", "activity": {"signed": 2}}, 2, "request.activity.signed: is 2; allowed: a number from 0 to 1"),
    ({"network": "a.onnx", "set": {"chip.tiles": None}}, 2, "request.set.chip.tiles: is no value"),
    ({"network": str(cli.CNN), "set": {"chip.tilse": 1}}, 3, "chip.tilse"), ({"network": str(cli.CNN), "arch": "no.yaml"}, 3, "no.yaml"),
    ({"network": "none.onnx"}, 4, "none.onnx"), ({"network": str(cli.TEST_X)}, 4, "digits-test-x.npy"),
    ({"network": "none.onnx", "fidelity": "cycle"}, 4, "none.onnx"),
    ({"genotype": "DARTS_V9"}, 2, "DARTS_V9"), ({"genotype": {"normal": 1}}, 2, "genotype"),
    ({"workload": "vgg99"}, 2, "vgg99"), ({"workload": "lenet5", "channels": 3}, 2, "channels"),
    ({"network": str(cli.CNN), "set": {"chip.tiles": 1, "tile.imas": 1}}, 5, "chip.tiles"),
    ({"network": str(cli.CNN), "set": {"chip.tiles": 1, "tile.imas": 1}, "fidelity": "cycle"}, 5, "chip.tiles"),
    ({"workload": "vgg8", "fidelity": "cycle", "timeout": 0.02}, 7, "timeout"),
]
KINDS = {2: "usage", 3: "config", 4: "network", 5: "mapping", 7: "timeout"}


def test_what_cannot_be_answered_is_an_error_and_the_rest_is_answered():
    good = {"id": "good", "network": str(cli.CNN)}
    requests = [r for bad, _, _ in BAD for r in (bad, good)]
    answers = ask(*requests)
    assert all(answers[i]["cost"] == answers[1]["cost"] for i in range(1, len(answers), 2))
    for (bad, code, said), answer in zip(BAD, answers[::2], strict=True):
        error = answer["error"]
        assert error["code"] == code and error["kind"] == KINDS[code], (bad, answer)
        assert said in error["message"], (bad, error["message"])


def test_binary_garbage_is_answered_line_by_line():
    chance = random.Random(4)
    lines = [bytes(chance.choice(range(256)) for _ in range(chance.randrange(1, 400))).replace(b"\n", b"?") for _ in range(150)]
    good = {"id": "good", "network": str(cli.CNN)}
    answers = ask(*(line for garbage in lines for line in (b"g" + garbage, good)), jobs=3)
    assert all(a["error"]["code"] == 2 for a in answers[::2]) and all(a == answers[1] for a in answers[1::2])


def test_a_last_line_without_an_end_is_answered():
    done = subprocess.run([cli.BITLINE, "oracle", "--arch", str(cli.ISAAC_8BIT)], input=json.dumps({"network": str(cli.CNN)}).encode(),
                          capture_output=True, timeout=60, check=False)
    assert done.returncode == cli.OK and "cost" in json.loads(done.stdout)


def test_it_ends_when_nobody_reads_its_answers():
    with subprocess.Popen([cli.BITLINE, "oracle", "--arch", str(cli.ISAAC_8BIT)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as process:
        line = json.dumps({"network": str(cli.CNN)}).encode() + b"\n"
        process.stdin.write(line)
        process.stdin.flush()
        assert b"cost" in process.stdout.readline()
        process.stdout.close()
        with contextlib.suppress(BrokenPipeError):
            for _ in range(10_000):
                process.stdin.write(line)
                process.stdin.flush()
        assert process.wait(timeout=60) == cli.OK and process.stderr.read() == b""
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()


def test_an_answer_comes_before_the_next_request():
    with subprocess.Popen([cli.BITLINE, "oracle", "--arch", str(cli.ISAAC_8BIT), "--jobs", "4"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True, bufsize=1) as process:
        for n in range(3):
            print(json.dumps({"id": n, "network": str(cli.CNN)}), file=process.stdin, flush=True)
            assert json.loads(process.stdout.readline())["id"] == n
        process.stdin.close()
        assert process.wait(timeout=20) == 0


def test_a_simulation_that_is_killed_is_an_error(tmp_path):
    """The oracle's program under another name starts something else in its place: a program that crashes."""
    crash = tmp_path / "crash.py"
    crash.write_text("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n")
    request = json.dumps({"network": str(cli.CNN), "fidelity": "cycle"}) + "\n"
    wrapper = tmp_path / "crashing"
    wrapper.write_text(f"#!/bin/sh\nexec /usr/bin/python3 {crash}\n")
    wrapper.chmod(0o755)
    done = subprocess.run([cli.BITLINE, "oracle", "--arch", str(cli.ISAAC_8BIT), "--program", str(wrapper)], input=2 * request,
                          capture_output=True, text=True, timeout=60, check=False)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [a["error"]["code"] for a in answers] == [6, 6] and "signal 11" in answers[0]["error"]["message"]
