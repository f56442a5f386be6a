# SPDX-License-Identifier: Apache-2.0
"""`bitline oracle --cache`: kept costs are the computed ones; many processes, killed ones, damaged files; `bitline cache`."""

import json
import random
import shutil
import sqlite3
import subprocess
import time

import numpy as np
import pytest

import cli


def start(cache, *arguments):
    return subprocess.Popen([cli.BITLINE, "oracle", "--arch", str(cli.ISAAC_8BIT), "--cache", str(cache), *map(str, arguments)],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def ask(cache, requests, *arguments):
    process = start(cache, *arguments)
    out, err = process.communicate("".join(json.dumps(r) + "\n" for r in requests).encode(), timeout=120)
    assert process.returncode == cli.OK, err
    return [json.loads(line) for line in out.splitlines()], err.decode()


def fresh(requests):
    out = subprocess.run([cli.BITLINE, "oracle", "--arch", str(cli.ISAAC_8BIT)], check=True, capture_output=True, timeout=120,
                         input="".join(json.dumps(r) + "\n" for r in requests).encode()).stdout
    return [json.loads(line) for line in out.splitlines()]


def contents(cache):
    return json.loads(cli.succeed("cache", "--json", cache).out)


def mlp(batch=1, **more):
    return {"network": str(cli.ROOT / "workloads" / "digits-mlp.onnx"), "batch": batch, **more}


def cells(seed):
    rng = random.Random(seed)
    cell = [[rng.choice(["skip_connect", "max_pool_3x3", "sep_conv_3x3"]), i] for n in range(4) for i in rng.sample(range(n + 2), 2)]
    return {"genotype": {"normal": cell, "reduce": cell}, "layers": 3, "channels": 4, "resolution": 8}


def test_a_kept_cost_is_the_computed_one(tmp_path):
    cache = tmp_path / "costs.db"
    requests = [mlp(), mlp(answer="layers"), cells(1), {**mlp(), "fidelity": "cycle"}, mlp(network="none.onnx")]
    first, err = ask(cache, requests)
    assert err == "" and first == fresh(requests) and "error" in first[4]
    assert contents(cache)["answers"] == 4  # errors are not kept
    again, _ = ask(cache, requests)
    assert json.dumps(again) == json.dumps(first)
    # It is the file that answers: an answer changed in it, with its sum, comes back.
    with sqlite3.connect(cache) as database:
        rows = database.execute("SELECT id, length(answer) FROM answers").fetchall()
        assert len(rows) == 4
        database.execute("DELETE FROM answers WHERE id = ?", (rows[0][0],))
    assert ask(cache, requests)[0] == first and contents(cache)["answers"] == 4


def test_other_content_has_a_place_of_its_own(tmp_path):
    cache = tmp_path / "costs.db"
    copy = tmp_path / "network.onnx"
    shutil.copy(cli.ROOT / "workloads" / "digits-mlp.onnx", copy)
    variants = [mlp(), mlp(2), mlp(seed=2), mlp(set={"adc.per_ima": 4}), mlp(activity={"input": 0.25}), mlp(fidelity="cycle"),
                mlp(answer="layers"), {"network": str(cli.CNN)}, cells(1), cells(2), {**cells(1), "channels": 8}]
    ask(cache, variants)
    assert contents(cache)["answers"] == len(variants)
    # The same content under other names has the same place.
    ask(cache, [{"network": str(copy)}, mlp(timeout=100), mlp(set={"adc.per_ima": "4"})])
    assert contents(cache)["answers"] == len(variants)
    # Another network under the same name has not.
    shutil.copy(cli.CNN, copy)
    (answer,), _ = ask(cache, [{"network": str(copy)}])
    assert answer == fresh([{"network": str(cli.CNN)}])[0]


def test_many_processes_and_killed_ones(tmp_path):
    cache = tmp_path / "costs.db"
    requests = [cells(i % 12) for i in range(48)]
    expected = fresh(requests)
    rng = random.Random(3)
    killed = [start(cache) for _ in range(4)]
    for process in killed:
        process.stdin.write("".join(json.dumps(r) + "\n" for r in rng.sample(requests, 48)).encode())
        process.stdin.flush()
    whole = [start(cache, "--jobs", 2) for _ in range(3)]
    for process in whole:
        process.stdin.write("".join(json.dumps(r) + "\n" for r in requests).encode())
        process.stdin.flush()
    for process in killed:
        time.sleep(rng.random() * 0.05)
        process.kill()
    for process in whole:
        out, err = process.communicate(timeout=120)
        assert process.returncode == cli.OK and err == b"" and [json.loads(line) for line in out.splitlines()] == expected
    for process in killed:
        process.communicate()
    assert contents(cache)["answers"] == 12
    with sqlite3.connect(cache) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)


@pytest.mark.parametrize("seed", range(6))
def test_damaged_bytes_are_found_and_the_file_begun_anew(tmp_path, seed):
    cache = tmp_path / "costs.db"
    requests = [cells(i) for i in range(4)]
    first, _ = ask(cache, requests)
    data = bytearray(cache.read_bytes())
    rng = np.random.default_rng(seed)
    if seed == 0:
        data = bytearray(b"no database at all\n" * 10)
    elif seed == 1:
        data = data[:len(data) // 2]
    elif seed == 2:  # within an answer
        at = data.find(b'"latency_s":') + 14
        data[at] = data[at] ^ 1
    else:  # a page
        page = rng.integers(1, len(data) // 4096) * 4096
        data[page:page + 4096] = rng.bytes(4096)
    cache.write_bytes(data)
    again, err = ask(cache, requests)
    assert again == first  # whatever the file says
    after, quiet = ask(cache, requests)
    assert after == first and quiet == ""
    if seed < 3:
        assert "damaged" in err and (tmp_path / "costs.db.damaged").exists()
    assert contents(cache)["answers"] == 4


def test_another_format_is_begun_anew_and_another_programs_file_is_left_alone(tmp_path):
    cache = tmp_path / "costs.db"
    ask(cache, [mlp()])
    with sqlite3.connect(cache) as database:
        database.execute("PRAGMA user_version = 99")
        database.execute("ALTER TABLE answers RENAME COLUMN answer TO text")
    assert ask(cache, [mlp()])[0] == fresh([mlp()]) and contents(cache)["answers"] == 1
    # What another version of bitline has computed is not this one's answer.
    (answer,), _ = ask(cache, [mlp()])
    assert answer["cost"]["version"]
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as database:
        database.execute("CREATE TABLE holidays(day)")
    before = other.read_bytes()
    assert "database of another program" in cli.refuse(cli.USAGE, "oracle", "--cache", other)
    assert other.read_bytes() == before


def test_wrong_places(tmp_path):
    assert "cannot be written" in cli.refuse(cli.USAGE, "oracle", "--cache", tmp_path / "none" / "costs.db")
    assert "cannot be" in cli.refuse(cli.USAGE, "oracle", "--cache", tmp_path)
    assert "is missing" in cli.refuse(cli.USAGE, "cache", tmp_path / "costs.db")
    assert not (tmp_path / "costs.db").exists()


def test_clear(tmp_path):
    cache = tmp_path / "costs.db"
    ask(cache, [mlp()])
    assert cli.succeed("cache", cache).out.startswith(f"{cache}: 1 answers, ")
    assert cli.succeed("cache", "--clear", cache).out.startswith(f"{cache}: 0 answers, ")
