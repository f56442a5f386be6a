# SPDX-License-Identifier: Apache-2.0
"""Small files that claim much: refused with one clear message, in memory and time that the file and the limits bound."""

import os
import subprocess

import numpy as np
import pytest
from onnx import helper

import cli
from tiny_onnx import conv, gemm_model, model, node, save, tensor, weights

MIB = 1 << 20
X = {"x": ["N", 4, 8, 8]}
SANITIZED = b"__asan" in cli.BITLINE.read_bytes()  # its shadow memory and red zones count, too


def measured(*arguments, timeout=300):
    """Exit code, stderr, the largest resident size in bytes and the processor time in seconds of one call."""
    child = subprocess.Popen([str(cli.BITLINE), *map(str, arguments)], stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    with child.stderr as stream:
        error = stream.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    assert child.returncode in range(8) and child.returncode != 1, (child.returncode, arguments, error)
    return child.returncode, error.decode(), usage.ru_maxrss * 1024, usage.ru_utime + usage.ru_stime


def bounded(*arguments, code=cli.NETWORK, memory=256 * MIB, seconds=30):
    """The call is refused with `code` and stays within `memory` (and the program's own) and `seconds`."""
    given, error, resident, used = measured(*arguments, "--max-memory", memory)
    assert given == code, error
    assert error.startswith("bitline: error: ") and "internal" not in error and "std::" not in error
    if not SANITIZED:
        assert resident < memory + 128 * MIB and used < seconds, (resident, used)
    return error


def shape_of(name, *dimensions):
    return tensor(name, list(dimensions), np.int64)


def constant(name, *dimensions):
    """Nodes and initializers of a value of that shape in a few bytes."""
    return [node("ConstantOfShape", f"make_{name}", [f"{name}_shape"], [name])], [shape_of(f"{name}_shape", *dimensions)]


def bomb(op, inputs, initializers, **attributes):
    return model([node(op, "bomb", ["x", *inputs], ["y"], **attributes)], X, {"y": None}, initializers)


def of_constants(op, a, b, **attributes):
    (make_a, shape_a), (make_b, shape_b) = constant("a", *a), constant("b", *b)
    return model([*make_a, *make_b, node(op, "bomb", ["a", "b"], ["c"], **attributes),
                  node("Add", "use", ["x", "c"], ["y"])], X, {"y": None}, shape_a + shape_b)


def many(count):
    """`count` values of 2^22 elements."""
    values = [constant(f"v{i}", 1 << 22) for i in range(count)]
    return model([n for nodes, _ in values for n in nodes] + [node("Identity", "last", ["v0"], ["y"])], X, {"y": None},
                 [i for _, initializers in values for i in initializers])


def doubling(count):
    nodes = [node("Concat", f"double{i}", [f"v{i}", f"v{i}"], [f"v{i + 1}"], axis=0) for i in range(count)]
    return model([*nodes, node("Identity", "last", [f"v{count}"], ["y"])], X, {"y": None}, [weights("v0", 1024)])


BOMBS = {
    "ConstantOfShape": model([node("ConstantOfShape", "bomb", ["s"], ["y"])], X, {"y": None},
                             [shape_of("s", 1 << 20, 1 << 20)]),
    "ConstantOfShape beyond 63 bits": model([node("ConstantOfShape", "bomb", ["s"], ["y"])], X, {"y": None},
                                            [shape_of("s", 1 << 40, 1 << 40)]),
    "ConstantOfShape of a negative size": model([node("ConstantOfShape", "bomb", ["s"], ["y"])], X, {"y": None},
                                                [shape_of("s", -(1 << 40))]),
    "many constants": many(100),
    "Expand": bomb("Expand", ["s"], [shape_of("s", 1 << 30, 4, 8, 8)]),
    "Tile": bomb("Tile", ["s"], [shape_of("s", 1, 1 << 20, 1 << 20, 1)]),
    "Tile beyond 63 bits": bomb("Tile", ["s"], [shape_of("s", *[1 << 62] * 4)]),
    "Range": model([node("Range", "bomb", ["a", "b", "c"], ["y"])], X, {"y": None},
                   [tensor("a", 0, np.int64), tensor("b", 1 << 62, np.int64), tensor("c", 1, np.int64)]),
    "Range of floats": model([node("Range", "bomb", ["a", "b", "c"], ["y"])], X, {"y": None},
                             [tensor("a", 0), tensor("b", 1e30), tensor("c", 1e-30)]),
    "Resize by scales": bomb("Resize", ["", "s"], [tensor("s", [1, 1, 60000, 60000])], mode="nearest"),
    "Resize to sizes": bomb("Resize", ["", "", "s"], [shape_of("s", 1, 4, 1 << 40, 1 << 40)], mode="linear"),
    "Resize to negative sizes": bomb("Resize", ["", "", "s"], [shape_of("s", 1, 4, -8, 8)], mode="linear"),
    "Pad": bomb("Pad", ["s"], [shape_of("s", 0, 0, 0, 0, 0, 0, 1 << 40, 1 << 40)]),
    "Pad, reflected": bomb("Pad", ["s"], [shape_of("s", 0, 0, 0, 0, 0, 0, 1 << 40, 7)], mode="reflect"),
    "padding of a convolution": model([conv("bomb", "x", "w", "y", pads=[1 << 30] * 4)], X, {"y": None},
                                      [weights("w", 4, 4, 3, 3)]),
    "ConvTranspose": bomb("ConvTranspose", ["w"], [weights("w", 4, 4, 3, 3)], strides=[1 << 30, 1 << 30]),
    "Reshape": bomb("Reshape", ["s"], [shape_of("s", 1 << 62, -1)]),
    "Concat of itself": doubling(60),
    "broadcasting": of_constants("Add", (1 << 20, 1), (1, 1 << 20)),
    "a product of constants": of_constants("MatMul", (2048, 2048), (2048, 2048)),
    "a convolution of constants": of_constants("Conv", (1, 64, 128, 128), (64, 64, 7, 7)),
    "an input": model([node("Relu", "bomb", ["x"], ["y"])], {"x": [1 << 15, 1 << 20]}, {"y": None}),
}


@pytest.mark.parametrize("kind", BOMBS)
def test_a_bomb_is_refused_before_it_is_allocated(tmp_path, kind):
    path = save(tmp_path / "bomb.onnx", BOMBS[kind])
    assert path.stat().st_size < 20_000
    assert "bomb.onnx" in bounded("check", "--network", path)


@pytest.mark.parametrize("command", [["run", "--arch", cli.ISAAC], ["map", "--arch", cli.ISAAC],
                                     ["slices", "--arch", cli.ISAAC], ["infer", "--input", cli.TEST_X], ["show"]],
                         ids=lambda c: c[0])
def test_every_command_that_reads_a_network_has_the_limit(tmp_path, command):
    path = save(tmp_path / "bomb.onnx", BOMBS["many constants"])
    network = [path] if command == ["show"] else ["--network", path]
    assert "elements together" in bounded(*command, *network)


def shared_weight(layers, inner):
    """`layers` products with one weight of few bytes."""
    make, shape = constant("w", inner, inner)
    nodes = [node("Gemm", f"fc{i}", [f"v{i}", "w"], [f"v{i + 1}"], transB=1) for i in range(layers)]
    return model([*make, *nodes], {"v0": ["N", inner]}, {f"v{layers}": None}, shape)


def test_a_weight_that_many_layers_share_is_not_mapped_without_limit(tmp_path):
    """300 layers of 2^20 weights, of which the file has none: 4 bytes each for its code; they share their cells' codes."""
    path = save(tmp_path / "shared.onnx", shared_weight(300, 1024))
    for command in (["map"], ["slices"], ["run"]):
        error = bounded(*command, "--arch", cli.ISAAC, "--network", path, code=cli.MAPPING)
        assert "314572800 weights" in error and "1.2 GiB" in error and "256 MiB (--max-memory)" in error


def test_a_file_larger_than_the_limit(tmp_path):
    path = tmp_path / "large.onnx"
    path.write_bytes(b"")
    os.truncate(path, 300 * MIB)
    assert "needs 300 MiB; allowed: at most 256 MiB (--max-memory)" in bounded("check", "--network", path)


@pytest.mark.parametrize("size", ["0", "1KiB", "-5", "many", "5 parsec", "9999999999999GiB"])
def test_a_wrong_limit(size):
    assert "--max-memory" in cli.refuse(cli.USAGE, "check", "--network", cli.MLP, "--max-memory", size)


def test_a_limit_with_a_unit():
    cli.succeed("check", "--network", cli.MLP, "--max-memory", "2 GiB")
    assert "(default: 8 GiB)" in cli.succeed("run", "--help").out.replace("\n", " ").replace("  ", "")


def nested(depth):
    """A condition in a condition in a condition ..."""
    graph = helper.make_graph([], "inner", [], [])
    for i in range(depth):
        branch = helper.make_node("If", ["c"], ["r"], name=f"if{i}")
        branch.attribute.add(name="then_branch", type=5).g.CopyFrom(graph)
        graph = helper.make_graph([branch], "outer", [], [])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])


@pytest.mark.parametrize("depth", [30, 60])
def test_nested_graphs(tmp_path, depth):
    path = tmp_path / "nested.onnx"
    path.write_bytes(nested(depth).SerializePartialToString())
    bounded("check", "--network", path)


def test_nesting_beyond_any_stack(tmp_path):
    """A million group and length-delimited fields in each other, as bytes."""
    path = tmp_path / "deep.onnx"
    for tag in (b"\x0b", b"\x3b", b"\x3a\x7f"):
        path.write_bytes(tag * 1_000_000)
        bounded("check", "--network", path)


def test_huge_and_unprintable_names(tmp_path):
    name = "\x1b[2J" + "n" * 5_000_000
    for broken in (node("Fancy" + name, "a", ["x"], ["y"]), node("Fancy", name, ["x"], ["y"]),
                   node("Relu", "a", [name], ["y"]), node("Relu", "a", ["x"], ["y"], **{name: 1})):
        error = bounded("check", "--network", save(tmp_path / "names.onnx", model([broken], X, {"y": None})))
        assert len(error) < 20_000 and "\x1b" not in error and r"\x1b[2Jnnn" in error


def test_text_that_is_not_utf8(tmp_path):
    network = model([node("Relu", "AAAA", ["ghost"], ["y"])], X, {"y": None})
    path = tmp_path / "text.onnx"
    path.write_bytes(network.SerializeToString().replace(b"AAAA", b"\xff\x00\xc3("))
    answer = subprocess.run([str(cli.BITLINE), "check", "--json", "--network", str(path)], capture_output=True, check=False)
    assert answer.returncode == cli.NETWORK and answer.stdout.decode() and rb"\x00" in answer.stderr


def field(number, data):
    size, length = len(data), b""
    while size > 127:
        length, size = length + bytes([size & 127 | 128]), size >> 7
    return bytes([number << 3 | 2]) + length + bytes([size]) + data


@pytest.mark.parametrize("count, code", [(100_000, cli.OK), (100_000, cli.NETWORK)], ids=["sound", "faulty"])
def test_very_many_nodes(tmp_path, count, code):
    """A chain; written by hand, as the library takes longer than we may. The faulty one has that many problems."""
    kind = b"Relu" if code == cli.OK else b"Fancy"
    nodes = b"".join(field(1, field(1, b"v%d" % i) + field(2, b"v%d" % (i + 1)) + field(4, kind)) for i in range(count))
    ends = model([], {"v0": [1, 4]}, {f"v{count}": None})
    graph = nodes + ends.graph.SerializeToString()
    ends.ClearField("graph")
    path = tmp_path / "chain.onnx"
    path.write_bytes(ends.SerializePartialToString() + field(7, graph))
    given, error, resident, used = measured("check", "--network", path)
    assert given == code and len(error.splitlines()) == (0 if code == cli.OK else count)
    assert SANITIZED or (resident < 512 * MIB and used < 60), (resident, used)


MACHINES = {
    "a bomb of aliases": b"a0: &a0 [x]\n" + b"".join(b"a%d: &a%d [*a%d, *a%d]\n" % (i, i, i - 1, i - 1) for i in range(1, 99)),
    "deep nesting": b"a: {b: " * 100_000,
    "a huge number": b"crossbar: {rows: " + b"9" * 1_000_000 + b"}\n",
    "a huge exponent": b"adc: {rate: 1e999999999999 Hz}\n",
    "a tiny exponent": b"crossbar: {read_latency: 1e-999999999999 s}\n",
    "bytes that are not UTF-8": b"name: \xc3\x28\n",
    "NUL bytes": b"name: a\0b\n",
    "a file beyond the limit": b"#" * (2 << 20),
    "a million unknown keys": b"".join(b"k%d:\n" % i for i in range(100_000)),
    "nothing but brackets": b"[" * 1_000_000,
    "a huge list": b"slices: {widths: [" + b"1, " * 300_000 + b"1]}\n",
}


@pytest.mark.parametrize("kind", MACHINES)
def test_a_hostile_machine(tmp_path, kind):
    path = tmp_path / "machine.yaml"
    path.write_bytes(MACHINES[kind])
    assert "machine.yaml" in bounded("check", "--arch", path, code=cli.CONFIG, memory=512 * MIB)


def test_sizes_that_no_machine_has(tmp_path):
    """The largest values of every size together: costs and the map must not overflow or allocate them."""
    overrides = [word for key in ("crossbar.rows=16384", "crossbar.cols=16384", "crossbar.active_rows=16384",
                                  "ima.crossbars=1024", "tile.imas=1024", "chip.tiles=65536") for word in ("--set", key)]
    answer = cli.bitline("map", "--arch", cli.ISAAC, "--network", save(tmp_path / "n.onnx", gemm_model()), *overrides)
    assert answer.code in (cli.OK, cli.CONFIG) and "internal" not in answer.err
