# SPDX-License-Identifier: Apache-2.0
"""`bitline lut` and bitline.torch: tables of operations, sums over them against whole networks, expected costs of a supernet."""

import csv
import json
import subprocess
import sys

import pytest
import torch

import bitline
import cli
import lut_accuracy
from bitline.tables import EDGES
from bitline.torch import SupernetCost, edge_probabilities

SHAPE = {"layers": 4, "channels": 8, "resolution": 16}
TABLE = bitline.lut(cli.ISAAC_8BIT, **SHAPE)
OPERATIONS = ["none", "max_pool_3x3", "avg_pool_3x3", "skip_connect", "sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3", "dil_conv_5x5"]


def lut(*arguments):
    return cli.succeed("lut", "--arch", cli.ISAAC_8BIT, *arguments)


def test_all_operations_of_lists_of_sizes(tmp_path):
    lut("--channels", "8,12", "--resolution", "16,8", "--out", tmp_path / "t.json", "--out", tmp_path / "t.csv")
    tree = json.loads((tmp_path / "t.json").read_text())
    assert tree["schema"] == "bitline.lut/1" and tree["primitives"] == OPERATIONS and "network" not in tree
    keys = [(row["part"], row["stride"], row["channels_in"], row["resolution"]) for row in tree["operations"]]
    assert len(set(keys)) == len(keys) == 8 * 2 * 2 * 2
    with open(tmp_path / "t.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row, line in zip(tree["operations"], rows, strict=True):
        assert line.pop("kind") == "operation" and line.pop("part") == row["part"]
        assert {key: float(value) for key, value in line.items()} == {key: value for key, value in row.items() if key != "part"}
    with pytest.raises(bitline.UsageError, match="made for lists"):
        bitline.CostTable(tree).cost("DARTS_V2")


def test_a_row_by_hand():
    """Crossbars of 128x128 cells, four slices: 32 outputs of a block. Depthwise 3x3 of 8 channels: 72 rows; 1x1: 8 rows. An MVM
    reads eight chunks in 800 ns."""
    part = TABLE.part("sep_conv_3x3", 1, 8, 16)
    assert part.crossbars == 4 and part.interval_s == pytest.approx(256 * 800e-9, rel=0.01)
    # Two windows of 3x3 pixels that wait for a row and a pixel, and the five MVMs' own ways.
    assert part.delay_s == pytest.approx(2 * 17 * 800e-9, rel=0.2)
    chip = TABLE.tree["chip"]
    assert part.area_mm2 == pytest.approx(chip["area_mm2"] * 4 / chip["crossbars"])
    assert TABLE.part("dil_conv_3x3", 1, 8, 16).crossbars == 2
    for stride in (1, 2):
        assert not any(TABLE.part("none", stride, 16, 16 if stride == 2 else 8))
    assert TABLE.part("sep_conv_3x3", 2, 16, 16).interval_s == pytest.approx(64 * 800e-9, rel=0.15)
    for row in TABLE.rows:
        assert row["edp_js"] == pytest.approx(row["energy_j"] * row["latency_s"])


def test_a_row_is_what_the_layers_of_a_network_take():
    cells = {"normal": [["sep_conv_5x5", 0], ["dil_conv_5x5", 1], ["avg_pool_3x3", 0], ["sep_conv_3x3", 1]] * 2,
             "reduce": [["max_pool_3x3", 0], ["dil_conv_3x3", 1]] * 4}
    layers = bitline.CostOracle(cli.ISAAC_8BIT).evaluate(bitline.Genotype(cells, **SHAPE), layers=True).layers
    for index, (operation, _) in enumerate(cells["normal"][:4]):
        mine = [row for row in layers if row["name"].startswith(f"cells.0._ops.{index}.") or row["name"] == f"cells.0._ops.{index}"]
        part = TABLE.part(operation, 1, 8, 16)
        assert sum(row["crossbars"] for row in mine) == part.crossbars, operation
        assert sum(row["energy_j"] for row in mine) == pytest.approx(part.energy_j, rel=0.06), operation


def test_sums_rank_networks_as_the_oracle_does():
    genotypes = lut_accuracy.random_genotypes(30, 5)
    result = lut_accuracy.summary(lut_accuracy.compare(cli.ISAAC_8BIT, genotypes, **SHAPE))
    assert result["energy_j"][0] < 0.04 and result["energy_j"][1] > 0.99, result
    assert result["latency_s"][0] < 0.06 and result["latency_s"][1] > 0.95, result
    assert result["edp_js"][1] > 0.97, result
    crossbars = [(TABLE.cost(g).crossbars, bitline.CostOracle(cli.ISAAC_8BIT).evaluate(bitline.Genotype(g, **SHAPE)).crossbars)
                 for g in genotypes[:5]]
    assert all(mine == theirs for mine, theirs in crossbars), crossbars


def test_the_committed_comparison_says_so_too():
    with open(cli.ROOT / "tests/golden/lut.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for machine in lut_accuracy.MACHINES:
        mine = [row for row in rows if row["machine"] == machine]
        pairs = [tuple({figure: float(row[f"{kind}_{figure}"]) for figure in lut_accuracy.FIGURES} for kind in ("table", "network"))
                 for row in mine]
        assert len(pairs) >= 100
        result = lut_accuracy.summary(pairs)
        assert all(rho >= 0.95 for _, rho in result.values()), (machine, result)


@pytest.mark.parametrize("arguments, code, said", [
    (["--channels", "8,12", "--resolution", "16,8", "--layers", "4"], cli.USAGE, "--layers"),
    (["--channels", "8,12"], cli.USAGE, "--channels, --resolution"), (["--channels", "7,8", "--resolution", "8"], cli.USAGE, "multiple of 2"),
    (["--layers", "4", "--resolution", "18"], cli.USAGE, "multiple of 4"), (["--out", "t.txt"], cli.USAGE, ".json or .csv"),
    (["--set", "mapping.replication=balanced"], cli.USAGE, "mapping.replication"), (["--space", "mobile"], cli.USAGE, "darts"),
    (["--set", "chip.tilse=1"], cli.CONFIG, "chip.tilse"),
    (["--set", "chip.tiles=1", "--set", "tile.imas=1", "--channels", "512", "--layers", "1"], cli.MAPPING, "chip.tiles"),
])
def test_what_cannot_be_made(arguments, code, said):
    assert said in cli.refuse(code, "lut", "--arch", cli.ISAAC_8BIT, *arguments)


def test_tables_in_python(tmp_path):
    TABLE.save(tmp_path / "t.json")
    again = bitline.CostTable.load(tmp_path / "t.json")
    assert again.cost("PC_DARTS") == TABLE.cost(bitline.Genotype("PC_DARTS")) and len(again.frame()) == len(again.rows)
    assert bitline.lut(cli.ISAAC_8BIT, channels=[8, 16], resolution=[8]).part("sep_conv_3x3", 2, 8, 8).energy_j > 0
    for wrong in ({"schema": "bitline.lut/2"}, {}):
        with pytest.raises(bitline.UsageError, match="schema"):
            bitline.CostTable(wrong)
    for cells in ("DARTS_V9", {"normal": []}, {"normal": [["none", 0], ["none", 1]] * 4}, {"normal": [["sep_conv_9x9", 0]] * 8}):
        with pytest.raises(bitline.UsageError):
            TABLE.cost(cells)


def one_hot(cells, kind):
    """[14, operations]: none where the genotype has no edge."""
    weights = torch.zeros(len(EDGES), len(OPERATIONS), dtype=torch.float64)
    weights[:, 0] = 1
    for e, (operation, state) in enumerate(cells[kind]):
        edge = EDGES.index((state, 2 + e // 2))
        weights[edge] = 0
        weights[edge, OPERATIONS.index(operation)] = 1
    return weights


def test_one_hot_weights_give_the_sum_of_the_table():
    expected = SupernetCost(TABLE)
    for cells in lut_accuracy.random_genotypes(12, 3):
        cost = expected.expected(one_hot(cells, "normal"), one_hot(cells, "reduce"))._asdict()
        table = TABLE.cost(cells)
        for key, value in cost.items():
            assert float(value) == pytest.approx(table["used_area_mm2" if key == "area_mm2" else key], rel=1e-12), key


def test_energy_is_an_expectation():
    """An edge that is a sep_conv with probability 0.3 and else a pooling."""
    first, second = ({"normal": [[op, 0], ["skip_connect", 1]] + [["skip_connect", 1], ["dil_conv_3x3", 0]] * 3,
                      "reduce": [["max_pool_3x3", 0], ["dil_conv_3x3", 1]] * 4} for op in ("sep_conv_3x3", "avg_pool_3x3"))
    mixed = 0.3 * one_hot(first, "normal") + 0.7 * one_hot(second, "normal")
    cost = SupernetCost(TABLE).expected(mixed, one_hot(first, "reduce"))
    assert float(cost.energy_j) == pytest.approx(0.3 * TABLE.cost(first).energy_j + 0.7 * TABLE.cost(second).energy_j, rel=1e-12)


@pytest.mark.parametrize("partial", [False, True])
def test_gradients_are_those_of_finite_differences(partial):
    torch.manual_seed(2)
    scale = torch.tensor([1e3, 1e3, 1e6, 1e9, 1e-2, 1.0], dtype=torch.float64)
    weights = [torch.randn(14, 8, dtype=torch.float64, requires_grad=True) for _ in range(2)]
    if partial:
        weights += [(0.3 * torch.randn(14, dtype=torch.float64)).requires_grad_() for _ in range(2)]
    assert torch.autograd.gradcheck(lambda *w: torch.stack(SupernetCost(TABLE)(*w)) * scale, weights, eps=1e-6, atol=1e-5)


def test_weights_that_prefer_cheap_operations_cost_less():
    logits = torch.zeros(14, 8, requires_grad=True)
    cost = SupernetCost(TABLE)(logits, logits)
    cost.energy_j.backward()
    gradient = logits.grad.sum(0)
    assert gradient[OPERATIONS.index("sep_conv_5x5")] == gradient.max() and gradient[0] < 0
    with torch.no_grad():
        assert SupernetCost(TABLE)(logits - 1e6 * logits.grad, logits).energy_j < cost.energy_j
    assert edge_probabilities(torch.zeros(14)).tolist() == pytest.approx([1.0] * 2 + [2 / 3] * 3 + [0.5] * 4 + [0.4] * 5)
    swapped = SupernetCost(TABLE, OPERATIONS[::-1])(logits.flip(1), logits.flip(1))
    assert float(swapped.energy_j) == pytest.approx(float(cost.energy_j), rel=1e-5)
    with pytest.raises(bitline.UsageError, match="shape"):
        SupernetCost(TABLE)(torch.zeros(14, 7), logits)


def test_bitline_does_not_import_torch():
    code = "import sys, bitline; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
