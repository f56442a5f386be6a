# SPDX-License-Identifier: Apache-2.0
"""bitline.nas, what it computes: integers against the simulator's, gradients by hand, sizes, discretisation, data."""

import csv
import itertools
import json
import math

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper
from torch import nn

import cli
import onnx_torch
from bitline.nas import data, experiments, export, hardware, onnx_module, slices, space
from bitline.nas.genotype import EDGES, PRIMITIVES, PUBLISHED, Genotype, discretise
from bitline.nas.quantise import Bits, InputGrid, calibrate, quantise, quantised_layers, round_weights, weight_codes, weight_step
from bitline.nas.search import unrolled_gradients
from bitline.nas.supernet import KINDS, Supernet

MACHINE = cli.CONFIGS / "bitslice-4bit.yaml"
TINY = space.Shape(3, 4, 10, (1, 8, 8))

torch.set_num_threads(1)


# Quantisation.

@pytest.mark.parametrize("largest, step", [(1.0, 1 / 16), (1.01, 2 / 16), (0.5, 1 / 32), (0.51, 1 / 16), (3.0, 4 / 16), (0.0, 1.0)])
def test_the_step_of_dynamic_fixed_point(largest, step):
    assert weight_step(torch.tensor([0.1, -1.0]) * largest, 4) == step


def test_weights_are_rounded_half_to_even_and_held_at_the_top_code():
    weight = torch.tensor([1.0, -1.0, 0.5 / 16, 1.5 / 16, -2.5 / 16, 0.97])  # step 1/16; 1.0 would be code 16, 0.97 is 15.52
    codes, step = weight_codes(weight, 4)
    assert step == 1 / 16 and codes.tolist() == [15, -15, 0, 2, -2, 15]
    assert torch.equal(round_weights(weight, 4), codes / 16)


def test_the_gradient_of_rounded_weights_passes_and_that_of_inputs_passes_within_the_range():
    weight = torch.tensor([1.0, -0.3, 0.01], requires_grad=True)
    (round_weights(weight, 4) * torch.tensor([1.0, 2.0, 3.0])).sum().backward()
    assert weight.grad.tolist() == [1, 2, 3]
    grid = InputGrid(4).eval()
    grid.largest.fill_(1.5)  # scale 0.1
    x = torch.tensor([0.0, 0.74, 1.6, -0.2], requires_grad=True)
    y = grid(x)
    y.sum().backward()
    assert torch.allclose(y, torch.tensor([0.0, 0.7, 1.5, 0.0])) and x.grad.tolist() == [1, 1, 0, 0]


def test_inputs_are_unsigned_until_a_negative_one_is_seen():
    grid = InputGrid(4)
    grid(torch.tensor([0.0, 3.0]))
    assert grid.limits() == (0, 15) and grid.scale() == np.float32(3 / 15)
    grid(torch.tensor([-5.0, 2.0]))
    assert grid.limits() == (-7, 7) and grid.scale() == pytest.approx((3 + 0.1 * 2) / 7)  # a tenth of the way from 3 to 5


def run_layers(folder, network, *arguments):
    """The integers of every layer of a run on the test images, by layer, and its outputs."""
    cli.succeed("run", "--quiet", "--arch", MACHINE, "--network", network, "--input", cli.TEST_X, "--dump-layers", folder,
                "--dump-outputs", folder, "--out", folder / "result", *arguments)
    layers = json.loads((folder / "layers.json").read_text())
    return {row["name"]: {**row, **{k: np.load(folder / f"{row['name']}.{k}.npy") for k in "xw"}} for row in layers}, np.load(folder / "logits.npy")


def test_the_integers_are_those_that_the_simulator_makes_of_the_float_network(tmp_path):
    """The float file, quantised by the simulator (4 bits, dynamic fixed point, minmax calibration)."""
    module = quantise(onnx_module.load(cli.MLP))
    calibrate(module, torch.from_numpy(np.load(cli.CALIBRATION)))
    theirs, _ = run_layers(tmp_path, cli.MLP, "--calibrate", cli.CALIBRATION)
    first = quantised_layers(module)["fc1"]
    assert theirs["fc1"]["activation_scale"] == pytest.approx(first.grid.scale(), rel=1e-7)
    for name, layer in quantised_layers(module).items():
        codes, step = weight_codes(layer.weight, 4)
        assert theirs[name]["weight_scheme"] == "dynamic_fixed_point" and set(theirs[name]["weight_scale"]) == {step}
        np.testing.assert_array_equal(theirs[name]["w"].reshape(codes.shape), codes.numpy())
        assert theirs[name]["activation_signed"] == (layer.grid.limits()[0] < 0)


@pytest.mark.parametrize("cell", ["DARTS_V2", "PC_DARTS"])
def test_an_exported_network_is_the_trained_one_on_the_machine(cell, tmp_path):
    torch.manual_seed(3)
    images = data.digits()
    module = quantise(space.Network(PUBLISHED[cell], TINY))
    module.train()
    for start in (0, 300, 600):  # running statistics and scales that are not the initial ones
        module(images.train_x[start:start + 300])
    module.eval()
    (tmp_path / "n.onnx").write_bytes(export.export(module, TINY.image))
    theirs, logits = run_layers(tmp_path, tmp_path / "n.onnx")
    with torch.no_grad():
        mine = module(images.test_x).numpy()
    layers = quantised_layers(module)
    assert set(theirs) == set(layers) and sum(row["activation_signed"] for row in theirs.values()) >= 10
    for name, layer in layers.items():
        codes, _ = weight_codes(layer.weight, 4)
        np.testing.assert_array_equal(theirs[name]["w"].reshape(codes.shape), codes.numpy())
        assert theirs[name]["activation_scale"] == layer.grid.scale() and theirs[name]["slice_widths"] == [2, 2]
    # A value at a rounding tie may get the next code in one of the two; everything after it then differs a little.
    for other in (logits, onnx_torch.infer(tmp_path / "n.onnx", images.test_x.numpy())):
        same = np.isclose(other, mine, rtol=1e-4, atol=1e-5).all(axis=1)
        assert same.mean() > 0.97, same.mean()
        assert (other.argmax(1) == mine.argmax(1))[same].all()


def test_a_module_of_ones_own_is_exported_with_its_names(tmp_path):
    class Own(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.Sequential(nn.Conv2d(1, 4, 3, 2), nn.ReLU())
            self.head = nn.Linear(36, 10)

        def forward(self, x):
            return self.head(torch.flatten(self.body(x), 1))
    torch.manual_seed(1)
    module = quantise(Own(), Bits(2, 3))
    with pytest.raises(ValueError, match="body.0, head"):
        export.export(module, (1, 8, 8))
    calibrate(module, data.digits().train_x[:50])
    (tmp_path / "n.onnx").write_bytes(export.export(module, (1, 8, 8)))
    theirs, logits = run_layers(tmp_path, tmp_path / "n.onnx")
    assert list(theirs) == ["body.0", "head"] and theirs["head"]["activation_bits"] == 3 and abs(theirs["head"]["w"]).max() == 3
    with torch.no_grad():
        np.testing.assert_allclose(logits, module.eval()(torch.from_numpy(np.load(cli.TEST_X))).numpy(), rtol=1e-4, atol=1e-5)
    with pytest.raises(ValueError, match="Conv1d"):
        quantise(nn.Sequential(nn.Conv1d(1, 1, 1)))
    with pytest.raises(ValueError, match="weights: 9"):
        Bits(weights=9)


# Slices.

def test_codes_are_cut_as_the_simulator_cuts_them():
    codes = torch.arange(16.0)
    assert slices.slice_widths(4, 2) == (2, 2) and slices.slice_widths(4, 1) == (1, 1, 1, 1) and slices.slice_widths(5, 2) == (1, 2, 2)
    assert slices.cut(codes, (2, 2)).tolist() == [[c >> 2 for c in range(16)], [c & 3 for c in range(16)]]
    assert slices.cut(codes, (1,) * 4).tolist() == [[c >> s & 1 for c in range(16)] for s in (3, 2, 1, 0)]


@pytest.mark.parametrize("cell_bits", [1, 2])
def test_the_share_of_non_zero_slices_is_that_of_bitline_slices(cell_bits):
    module = quantise(onnx_module.load(cli.CNN.with_name("digits-mlp.onnx")))
    widths = "[2,2]" if cell_bits == 2 else "[1,1,1,1]"
    tree = json.loads(cli.succeed("slices", "--arch", MACHINE, "--network", cli.MLP, "--json", "--set", f"device.bits_per_cell={cell_bits}",
                                  "--set", f"slices.widths={widths}").out)
    for s, ratio in enumerate(slices.nonzero_ratios(module, cell_bits)):
        rows = [layer["slices"][s] for layer in tree["layers"]]  # a positive and a negative array: twice as many cells
        assert ratio == pytest.approx(2 * sum(r["nonzero"] for r in rows) / sum(r["cells"] for r in rows), rel=1e-12)


def test_penalties_and_their_gradients_by_hand():
    """Largest weight 0.99: step 1/16. Codes 16 held at 15, -5, 4, 3, 0, -8, of weights beside the grid."""
    layer = nn.Linear(6, 1, bias=False)
    layer.weight.data = torch.tensor([[0.99, -0.30, 0.25, 0.20, 0.02, -0.51]])
    quantise(layer)
    # 2-bit slices of 15, 5, 4, 3, 0, 8: (3,3) (1,1) (1,0) (0,3) (0,0) (2,0); the upper slice pulls by 1/4, the lower by 1
    value = slices.penalty(layer, "bitslice-l1", 2)
    value.backward()
    assert value.item() == pytest.approx((6 + 2 + 1 + 3 + 0 + 2) / 16)
    assert layer.weight.grad.tolist() == [[1.25, -1.25, 0.25, 1.0, 0.0, -0.25]]
    # 1-bit slices: 1111 0101 0100 0011 0000 1000, pulling by 1/8, 1/4, 1/2, 1
    layer.weight.grad = None
    value = slices.penalty(layer, "bitslice-l1", 1)
    value.backward()
    assert value.item() == pytest.approx((4 + 2 + 1 + 2 + 0 + 1) / 16)
    assert layer.weight.grad.tolist() == [[1.875, -1.25, 0.25, 1.5, 0.0, -0.125]]
    layer.weight.grad = None
    value = slices.penalty(layer, "l1", 2)
    value.backward()
    assert value.item() == pytest.approx((15 + 5 + 4 + 3 + 8) / 16) and layer.weight.grad.tolist() == [[1, -1, 1, 1, 0, -1]]
    assert slices.penalty(layer, "none", 2).item() == 0
    with pytest.raises(ValueError, match="'l2'; allowed: none, l1, bitslice-l1"):
        slices.penalty(layer, "l2", 2)


def test_the_penalty_of_layers_is_the_sum_of_theirs():
    torch.manual_seed(2)
    module = quantise(nn.Sequential(nn.Conv2d(2, 3, 3), nn.Linear(4, 5), nn.Linear(5, 2)))
    module[1].weight.data *= 8  # a step of its own
    parts = sum(slices.penalty(layer, "bitslice-l1", 2).item() for layer in module)
    total = slices.penalty(module, "bitslice-l1", 2)
    total.backward()
    assert total.item() == pytest.approx(parts, rel=1e-6) and module[0].weight.grad.abs().sum() > 0
    by_hand = sum(weight_step(layer.weight, 4) * slices.cut(weight_codes(layer.weight, 4)[0].abs(), (2, 2)).sum().item() for layer in module)
    assert total.item() == pytest.approx(by_hand, rel=1e-6)


# The space.

@pytest.mark.parametrize("cell, channels, layers, parameters, macs", [
    ("DARTS_V2", 16, 8, 246_106, 43_444_736), ("PC_DARTS", 16, 8, 335_738, 53_258_752), ("DARTS_V1", 36, 20, 3_169_414, 500_987_520)])
def test_networks_have_the_published_sizes(cell, channels, layers, parameters, macs):
    shape = space.Shape(layers, channels)
    network = space.Network(PUBLISHED[cell], shape)
    assert (space.parameters_of(network), space.macs_of(network, shape.image)) == (parameters, macs)


def test_a_network_is_the_generated_one_with_the_same_weights(tmp_path):
    cell = {"normal": [["dil_conv_5x5", 0], ["none", 1], ["sep_conv_5x5", 0], ["avg_pool_3x3", 1], ["skip_connect", 1], ["dil_conv_3x3", 3],
                       ["max_pool_3x3", 0], ["sep_conv_3x3", 4]]}
    cell["reduce"] = cell["normal"]
    (tmp_path / "g.json").write_text(json.dumps(cell))
    cli.succeed("workload", "make", "darts", "--genotype", tmp_path / "g.json", "--layers", 3, "--channels", 4, "--resolution", 8,
                "-o", tmp_path / "n.onnx")
    model = onnx.load(tmp_path / "n.onnx")
    network = space.Network(Genotype.of(tmp_path / "g.json"), space.Shape(3, 4, 10, (3, 8, 8)))
    weights = {i.name: torch.from_numpy(numpy_helper.to_array(i).copy()) for i in model.graph.initializer if i.data_type == 1}
    assert set(weights) == {k for k in network.state_dict() if not k.endswith("num_batches_tracked")}
    network.load_state_dict(weights, strict=False)
    x = torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        mine, read = network.eval()(x), onnx_module.load(tmp_path / "n.onnx").eval()(x)
    expected = onnx_torch.infer(model, x.numpy())
    np.testing.assert_allclose(mine.numpy(), expected, rtol=1e-4, atol=1e-5 * abs(expected).max())
    np.testing.assert_allclose(read.numpy(), expected, rtol=1e-4, atol=1e-5 * abs(expected).max())


@pytest.mark.parametrize("arguments, said", [((2, 8), "layers: 2"), ((3, 5), "channels: 5"), ((3, 8, 10, (1, 6, 8)), "6x8")])
def test_a_wrong_shape_is_refused(arguments, said):
    with pytest.raises(ValueError, match=said):
        space.Shape(*arguments)


@pytest.mark.parametrize("given, said", [
    ("none.json", "none.json"), ({"normal": []}, "reduce"), ({"normal": [["sep_conv_3x3", 0]] * 8, "reduce": [["sep_conv_3x3", 0]] * 7}, "7 pairs"),
    ({"normal": [["sep_conv_7x7", 0]] * 8, "reduce": [["sep_conv_3x3", 2]] * 8}, "sep_conv_7x7.*input 2; allowed: 0 to 1"),
    ({"normal": 1, "reduce": [1] * 8}, "1 pairs"), ({"normal": [], "reduce": [], "normal_concat": [2]}, "normal_concat")])
def test_a_wrong_genotype_is_refused(given, said):
    with pytest.raises(ValueError, match=said):
        Genotype.of(given)
    assert Genotype.of(PUBLISHED["DARTS_V1"].as_dict()) == PUBLISHED["DARTS_V1"]


def brute_force(rows):
    """Of all pairs of (input, operation without none) of a node, the one of the largest sum."""
    cell = []
    for node in range(4):
        edges = [e for e, (end, _) in enumerate(EDGES) if end == node]
        best = max(itertools.combinations(edges, 2), key=lambda pair: sum(max(rows[e][1:]) for e in pair))
        cell += [(PRIMITIVES[1 + int(np.argmax(rows[e][1:]))], EDGES[e][1]) for e in best]
    return tuple(cell)


def test_discretisation_is_the_best_of_all_choices():
    random = np.random.default_rng(5)
    for _ in range(50):
        weights = {kind: random.dirichlet(np.full(8, 0.3), 14).tolist() for kind in KINDS}
        found = discretise(weights)
        assert found == Genotype(brute_force(weights["normal"]), brute_force(weights["reduce"]))
    equal = discretise({kind: [[1 / 8] * 8] * 14 for kind in KINDS})
    assert equal.normal == (("max_pool_3x3", 0), ("max_pool_3x3", 1)) * 4  # ties: lower input, earlier primitive


@pytest.mark.parametrize("partial", [1, 2])
def test_a_supernet_whose_weights_are_one_operation_each_is_that_network(partial):
    """With all weight on one operation per edge and none on others, the sum of mixed operations is the operation itself."""
    torch.manual_seed(4)
    net = Supernet(TINY, partial).eval()
    mixed = net.cells[0]._ops[0]
    x = torch.randn(2, 4, 8, 8)
    one = torch.zeros(8)
    one[PRIMITIVES.index("sep_conv_3x3")] = 1.0
    with torch.no_grad():
        y, own = mixed(x, one), mixed._ops[PRIMITIVES.index("sep_conv_3x3")](x[:, :4 // partial])
    if partial == 2:  # the operation's channels and those passed by, shuffled
        assert torch.allclose(y[:, 0::2], own, atol=1e-6) and torch.equal(y[:, 1::2], x[:, 2:])
    else:
        assert torch.allclose(y, own, atol=1e-6)
    assert net(torch.randn(2, 1, 8, 8)).shape == (2, 10)
    assert len(net.architecture()) == 2 * partial and {id(p) for p in net.architecture()}.isdisjoint(id(p) for p in net.weights())
    edges = net.edge_weights("normal")
    assert edges[:2].sum().item() == pytest.approx(1 if partial == 2 else 2)
    with pytest.raises(ValueError, match="1/3 of 4"):
        Supernet(TINY, 3)


def test_the_unrolled_gradient_of_a_quadratic():
    """train = (w - a)^2 + w a^2, judge = w^2 at w' = w - r (train' + 1): d judge(w')/da = 2 w' (-r) (d train'/da) = 2 w' (-r) (-2 + 2a)."""
    w, a, rate = nn.Parameter(torch.tensor(0.7)), nn.Parameter(torch.tensor(0.4)), 0.1
    (gradient,) = unrolled_gradients([a], [w], lambda: (w - a) ** 2 + w * a ** 2, lambda: w ** 2 + 3 * a, lambda p, g: g + 1, rate)
    stepped = 0.7 - rate * (2 * (0.7 - 0.4) + 0.4 ** 2 + 1)
    assert gradient.item() == pytest.approx(3 + 2 * stepped * -rate * (-2 + 2 * 0.4), rel=1e-3)
    assert w.item() == pytest.approx(0.7)


# Hardware.

def test_the_expected_cost_is_that_of_the_oracle_where_one_edge_decides():
    import bitline
    cost = hardware.from_oracle(str(MACHINE), TINY, "energy", {})
    net = Supernet(TINY)
    assert cost(net).item() == pytest.approx(1.0, rel=1e-3)  # equal weights, but for noise
    value = cost(net)
    value.backward()
    heavy, light = PRIMITIVES.index("sep_conv_5x5"), PRIMITIVES.index("skip_connect")
    for kind in KINDS:  # descent moves weight from the dear operation to the cheap one
        gradient = net.arch[f"alpha_{kind}"].grad
        assert (gradient[:, heavy] > gradient[:, light]).all()
    oracle = bitline.CostOracle(MACHINE)
    base = [["skip_connect", 0], ["skip_connect", 1]] * 4
    heavier = [list(pair) for pair in base]
    heavier[2] = ["sep_conv_5x5", 2]
    plain, other = (oracle.evaluate(bitline.Genotype({"normal": cell, "reduce": base}, 3, 4, 10, 8)).energy_j for cell in (base, heavier))
    edge = EDGES.index((1, 2))
    assert cost.differences["normal"][edge, heavy - 1].item() == pytest.approx(other / plain - 1, rel=1e-5)
    with torch.no_grad():  # all weight on one operation of every edge
        for kind in KINDS:
            net.arch[f"alpha_{kind}"][:, heavy] = 50.0
    kept = [2 / (2 + node) for node, _ in EDGES]
    by_hand = 1 + sum(n * cost.differences[kind][e, heavy - 1].item() for kind in KINDS for e, n in enumerate(kept))
    mean = 1 + sum(n * cost.differences[kind][e].mean().item() for kind in KINDS for e, n in enumerate(kept))
    assert cost(net).item() == pytest.approx(by_hand / mean, rel=1e-4)
    with pytest.raises(ValueError, match="'joules'; allowed: energy"):
        hardware.from_oracle(str(MACHINE), TINY, "joules", {})


def test_the_expected_cost_from_a_table_orders_architectures_as_the_oracle():
    sources = [ask(str(MACHINE), TINY, "energy", {"adc.per_ima": "8"}) for ask in (hardware.from_table, hardware.from_oracle)]
    values = {1: [], 2: []}
    for seed in range(30):
        torch.manual_seed(seed)
        net = Supernet(TINY, 1 + seed % 2)
        assert [source(net).item() for source in sources] == pytest.approx([1, 1], rel=1e-2)
        for parameter in net.architecture():
            parameter.data.normal_(0, 2)
        values[net.partial].append([source(net).item() for source in sources])
    assert np.corrcoef(np.transpose(values[1]))[0, 1] > 0.99 and np.ptp(values[1]) > 0.05
    assert np.corrcoef(np.transpose(values[2]))[0, 1] > 0.9  # a base cell keeps skip connections where the table has nothing
    edp = hardware.from_table(str(MACHINE), TINY, "edp", {})(net)
    edp.backward()
    assert all(float(p.grad.abs().sum()) > 0 for p in net.architecture() if p.shape == (14, 8))


# Data.

def write_cifar(folder, records):
    random = np.random.default_rng(1)
    raw = {}
    for name in [*(f"data_batch_{i}.bin" for i in range(1, 6)), "test_batch.bin"]:
        raw[name] = random.integers(0, 256, (records, 3073), dtype=np.uint8)
        raw[name][:, 0] %= 10
        raw[name].tofile(folder / name)
    return raw


def test_digits_are_split_as_the_committed_files():
    images = data.digits()
    np.testing.assert_array_equal(images.test_x.numpy(), np.load(cli.TEST_X))
    np.testing.assert_array_equal(images.test_y.numpy(), np.load(cli.TEST_Y))
    assert len(images.train_x) == 1437 and images.image == (1, 8, 8)
    seen = {image.numpy().tobytes() for image in images.train_x}
    assert not any(image.numpy().tobytes() in seen for image in images.test_x)


def test_cifar_is_read_from_its_binary_files(tmp_path):
    raw = write_cifar(tmp_path, 3)
    images = data.load(f"cifar10:{tmp_path}")
    assert images.train_x.shape == (15, 3, 32, 32) and images.test_x.shape == (3, 3, 32, 32) and images.image == (3, 32, 32)
    record = raw["data_batch_2.bin"][1]
    assert images.train_y[4] == record[0]
    assert images.train_x[4, 2, 5, 7] == pytest.approx((record[1 + 2 * 1024 + 5 * 32 + 7] / 255 - 0.4465) / 0.2616, rel=1e-5)
    raw["test_batch.bin"][2, 0] = 10
    raw["test_batch.bin"].tofile(tmp_path / "test_batch.bin")
    with pytest.raises(ValueError, match="label 10 of record 2"):
        data.load(f"cifar10:{tmp_path}")
    (tmp_path / "test_batch.bin").write_bytes(b"12")
    with pytest.raises(ValueError, match="2 bytes; allowed: a multiple of 3073"):
        data.load(f"cifar10:{tmp_path}")
    (tmp_path / "test_batch.bin").unlink()
    with pytest.raises(ValueError, match="has no test_batch.bin"):
        data.load(f"cifar10:{tmp_path}")
    with pytest.raises(ValueError, match="'mnist'; allowed"):
        data.load("mnist")


def test_augmentation_moves_whole_images():
    torch.manual_seed(1)
    x = torch.zeros(200, 1, 8, 8)
    x[:, 0, 3, 2] = 1.0
    moved = data.augment(x, 1, False)
    places = {tuple(np.argwhere(image[0].numpy() == 1)[0]) for image in moved}
    assert places == {(r, c) for r in (2, 3, 4) for c in (1, 2, 3)} and torch.equal(moved.sum((1, 2, 3)), torch.ones(200))
    assert ((moved == x).all(-1).all(-1).all(-1)).sum() > 90
    mirrored = data.augment(x, 0, True)
    assert {tuple(np.argwhere(image[0].numpy() == 1)[0]) for image in mirrored} == {(3, 2), (3, 5)}
    assert torch.equal(data.augment(x, 0, False), x)


def test_batches_hold_every_image_once():
    torch.manual_seed(1)
    x = torch.arange(65.0)
    seen = list(data.batches(x, x, 32))
    assert [len(b) for b, _ in seen] == [32, 32] and math.isclose(sum(float(b.sum()) for b, _ in seen), 64 * 65 / 2, abs_tol=65)
    assert [len(b) for b, _ in data.batches(x[:40], x[:40], 32)] == [32, 8]


@pytest.mark.parametrize("change, said", [
    (lambda m: m.graph.node.append(onnx.helper.make_node("Sigmoid", ["logits"], ["z"], name="odd")), "node 'odd': operator Sigmoid"),
    (lambda m: m.graph.output.append(m.graph.output[0]), "2 outputs"),
    (lambda m: m.graph.node[1].attribute.append(onnx.helper.make_attribute("alpha", 2.0)), "alpha")])
def test_a_file_that_cannot_be_trained_is_refused(change, said, tmp_path):
    model = onnx.load(cli.MLP)
    change(model)
    onnx.save(model, tmp_path / "n.onnx")
    with pytest.raises(ValueError, match=said):
        onnx_module.load(tmp_path / "n.onnx")
    (tmp_path / "n.onnx").write_bytes(b"\xff\xff no")
    with pytest.raises(ValueError, match="not an ONNX model"):
        onnx_module.load(tmp_path / "n.onnx")


def test_the_tables_in_the_readmes_are_those_of_the_measured_runs():
    folder = cli.ROOT / "tools" / "nas"
    with open(folder / "results" / "digits.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len({row["seed"] for row in rows}) == 3 and all(len(group) == 3 for group in experiments.groups_of(rows).values())
    shown = (folder / "README.md").read_text().split("bitline.nas.experiments -->\n")[1].split("<!-- results: end")[0]
    assert shown == experiments.table_of(rows)
    for line in shown.splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if cells[1] in ("b", "c"):
            assert f"| {cells[5]} | {cells[6]} | {cells[10]} | {cells[12]} |" in (cli.ROOT / "README.md").read_text()


@pytest.mark.parametrize("cell", ["DARTS_V2", "PC_DARTS"])
def test_cells_are_compared_at_about_the_same_size(cell):
    channels = experiments.channels_for(PUBLISHED[cell])
    sizes = [space.parameters_of(space.Network(PUBLISHED[cell], space.Shape(3, c, 10, (1, 8, 8)))) for c in range(2, 25, 2)]
    assert min(sizes, key=lambda size: abs(size - experiments.SIZE)) == sizes[channels // 2 - 1]
    assert abs(sizes[channels // 2 - 1] / experiments.SIZE - 1) < 0.2
