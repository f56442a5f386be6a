# SPDX-License-Identifier: Apache-2.0
"""`bitline quantize`: the written QDQ model is valid, and a run of it has the integers of a run of the float model."""

import json

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

import cli
import onnx_torch
import tiny_onnx

LOSSLESS = ["adc.resolution.policy=lossless", "ima.output_register.capacity=4 KiB"]
# Options of `quantize` and the same as keys of a machine.
CASES = {
    "8 bits": ([], []),
    "6 bits": (["--bits", 6], ["precision.weights.bits=6", "precision.activations.bits=6"]),
    "mixed": (["--weights", 4, "--activations", 7, "--layer", "conv2:3:5"],
              ["precision.weights.bits=4", "precision.activations.bits=7",
               "precision.layers=[{layer: conv2, weights: 3, activations: 5}]"]),
    "per tensor": (["--per-tensor"], ["precision.weights.granularity=per_tensor"]),
    "percentile": (["--method", "percentile", "--percentile", 99],
                   ["precision.activations.calibration=percentile", "precision.activations.percentile=99"]),
    "mse": (["--bits", 5, "--method", "mse"],
            ["precision.weights.bits=5", "precision.activations.bits=5", "precision.weights.calibration=mse",
             "precision.activations.calibration=mse"]),
    "dynamic fixed point": (["--scheme", "dynamic_fixed_point"],
                            ["precision.weights.scheme=dynamic_fixed_point", "precision.weights.granularity=per_tensor"]),
    "16 bits": (["--bits", 16], ["precision.weights.bits=16", "precision.activations.bits=16"]),
}


def quantize(folder, *options, network=cli.CNN, calibrate=cli.CALIBRATION):
    written = folder / "net.qdq.onnx"
    answer = cli.succeed("quantize", network, "--calibrate", calibrate, "--out", written, "--json", *options)
    return written, json.loads(answer.out)["layers"]


def dumped(folder, network, settings, images=cli.TEST_X, calibrate=cli.CALIBRATION):
    """{layer: (entry, x, w, y)}"""
    sets = [f"--set={s}" for s in settings]
    cli.succeed("run", "--arch", cli.ISAAC_8BIT, "--network", network, "--input", images, "--calibrate", calibrate,
                "--dump-layers", folder, "--quiet", *sets)
    return {e["name"]: (e, *(np.load(folder / f"{e['name']}.{kind}.npy") for kind in "xwy"))
            for e in json.loads((folder / "layers.json").read_text())}


def images(folder, count):
    """Digits with some noise. The scales of a file are float32: exact ties, which pixels in 16 steps have, may differ."""
    noise = np.random.default_rng(1).uniform(0, 0.01, (count, 1, 8, 8))
    np.save(folder / "x.npy", (0.98 * np.load(cli.TEST_X)[:count] + noise).astype(np.float32))
    return folder / "x.npy"


def same_integers(float_run, written_run, most_apart=1e-4, steps=1):
    """Equal weights; inputs equal but for a few ties, and sums wherever inputs are."""
    assert float_run.keys() == written_run.keys()
    for name, (entry, x, w, y) in float_run.items():
        other, x2, w2, y2 = written_run[name]
        assert np.array_equal(w, w2), name
        assert entry["activation_bits"] == other["activation_bits"], name
        assert sum(entry["slice_widths"]) == sum(other["slice_widths"]), name
        apart = np.abs(x.astype(int) - x2)
        assert apart.max() <= steps and (apart > 0).mean() <= most_apart, (name, (apart > 0).sum(), apart.size, apart.max())
        clean = ~apart.reshape(len(x), -1).any(axis=1)
        assert steps > 1 or clean.any()
        assert np.array_equal(y[clean], y2[clean]), name


@pytest.mark.parametrize("case", CASES)
def test_a_run_of_the_written_model_has_the_integers_of_the_float_one(tmp_path, case):
    options, settings = CASES[case]
    written, layers = quantize(tmp_path, *options)
    x = images(tmp_path, 60)
    runs = [dumped(tmp_path / name, network, [*settings, *LOSSLESS], x)
            for name, network in (("float", cli.CNN), ("qdq", written))]
    # Steps of 16 bits are near those of the float32 values that lie between the layers.
    same_integers(*runs, *((0.15, 2) if case == "16 bits" else (2e-4, 1)))
    for layer in layers:
        entry = runs[0][layer["name"]][0]
        assert layer["weight_bits"] == entry["weight_bits"]
        assert layer["activation_bits"] == entry["activation_bits"]
        assert layer["activation_scale"] == entry["activation_scale"]


def test_codes_differ_at_ties_only(tmp_path):
    written, layers = quantize(tmp_path)
    codes = [dumped(tmp_path / name, network, LOSSLESS)["conv1"][1] for name, network in (("f", cli.CNN), ("q", written))]
    exact = np.load(cli.TEST_X).astype(np.float64) / layers[0]["activation_scale"]
    ties = np.abs(exact - np.floor(exact) - 0.5) < 1e-4
    assert ties.any() and np.array_equal(codes[0][~ties], codes[1][~ties])


@pytest.mark.parametrize("case", CASES)
def test_the_written_model_is_valid_onnx_and_holds_the_codes(tmp_path, case):
    written, layers = quantize(tmp_path, *CASES[case][0])
    model = onnx.load(str(written))
    # Codes of more than 8 bits need operator set 21; the checker of Debian's onnx knows sets up to 17.
    wide = case in ("16 bits", "dynamic fixed point")
    if not wide:
        onnx.checker.check_model(model, full_check=True)
    assert model.opset_import[0].version == (21 if wide else 13)
    made_by = {n.output[0]: n for n in model.graph.node}
    constants = {i.name: numpy_helper.to_array(i) for i in model.graph.initializer}
    dense = {n.name: n for n in model.graph.node if n.op_type in ("Conv", "Gemm")}
    assert list(dense) == [layer["name"] for layer in layers] and len(dense) == 7
    for layer in layers:
        bits = layer["weight_bits"]
        limit = 2**bits - 1 if case == "dynamic fixed point" else 2 ** (bits - 1) - 1
        for number, tensor in ((0, "activation"), (1, "weight")):
            dequantize = made_by[dense[layer["name"]].input[number]]
            assert dequantize.op_type == "DequantizeLinear"
            scale = constants[dequantize.input[1]]
            assert np.float32(layer[f"{tensor}_scale"]) == scale.max()
        source = dequantize.input[0]
        if source in made_by:
            clip = made_by[source]
            assert clip.op_type == "Clip" and constants[clip.input[1]] == -limit and constants[clip.input[2]] == limit
            source = clip.input[0]
        assert np.abs(constants[source].astype(int)).max() <= limit


def test_less_error_with_the_method_that_minimises_it(tmp_path):
    minmax, mse = (quantize(tmp_path, "--bits", 4, "--method", method)[1] for method in ("minmax", "mse"))
    assert all(b["weight_error"] <= a["weight_error"] for a, b in zip(minmax, mse))
    assert any(b["weight_error"] < 0.9 * a["weight_error"] for a, b in zip(minmax, mse))
    assert all(b["activation_scale"] <= a["activation_scale"] for a, b in zip(minmax, mse))


def test_accuracy_of_the_written_model(tmp_path):
    written, _ = quantize(tmp_path)
    out = cli.succeed("infer", "--network", written, "--input", cli.TEST_X, "--labels", cli.TEST_Y).out
    assert "accuracy, top-1  99.44 %" in out


def folding_model():
    """What the importer folds into its layers: normalisation after a Conv, an Add after a MatMul, alpha of a Gemm."""
    norm = [tiny_onnx.tensor(n, v) for n, v in (("g", [1, 2, -1, 0.5]), ("b", [0, 1, 2, 3]), ("m", [0.1, 0, -0.2, 0]),
                                                ("v", [1, 4, 0.5, 2]))]
    nodes = [tiny_onnx.conv("conv1", "x", "w1"),
             tiny_onnx.node("BatchNormalization", "bn", ["conv1_out", "g", "b", "m", "v"]),
             tiny_onnx.node("Relu", "relu", ["bn_out"]), tiny_onnx.node("Flatten", "flatten", ["relu_out"]),
             tiny_onnx.node("MatMul", "matmul", ["flatten_out", "w2"]),
             tiny_onnx.node("Add", "add", ["matmul_out", "c"]),
             tiny_onnx.node("Gemm", "gemm", ["add_out", "w3", "d"], ["y"], alpha=0.5, beta=2.0)]
    return tiny_onnx.model(nodes, {"x": ["N", 1, 4, 4]}, {"y": ["N", 3]},
                           [tiny_onnx.weights("w1", 4, 1, 3, 3), *norm, tiny_onnx.weights("w2", 64, 5, seed=2),
                            tiny_onnx.weights("c", 5, seed=3), tiny_onnx.weights("w3", 5, 3, seed=4),
                            tiny_onnx.weights("d", 3, seed=5)])


def test_what_is_folded_into_a_layer_is_in_its_codes(tmp_path):
    network = tiny_onnx.save(tmp_path / "net.onnx", folding_model())
    np.save(tmp_path / "x.npy", np.random.default_rng(6).normal(size=(8, 1, 4, 4)).astype(np.float32))
    written, _ = quantize(tmp_path, network=network, calibrate=tmp_path / "x.npy")
    model = onnx.load(str(written))
    onnx.checker.check_model(model, full_check=True)
    assert "BatchNormalization" not in [n.op_type for n in model.graph.node]
    runs = [dumped(tmp_path / name, file, LOSSLESS, tmp_path / "x.npy", tmp_path / "x.npy")
            for name, file in (("float", network), ("qdq", written))]
    assert list(runs[0]) == ["conv1", "matmul", "gemm"]
    same_integers(*runs)
    outputs = []
    for file in (network, written):
        cli.succeed("run", "--arch", cli.ISAAC_8BIT, "--set=adc.resolution.policy=lossless", "--network", file, "--input",
                    tmp_path / "x.npy", "--dump-outputs", tmp_path)
        outputs.append(np.load(tmp_path / "y.npy"))
    np.testing.assert_allclose(*outputs, rtol=1e-5, atol=1e-5)


def transposed_model(group):
    """Two transposed convolutions: stride 2 with a border, then one with groups; a 1-D one would be an image of height 1."""
    nodes = [tiny_onnx.node("ConvTranspose", "up", ["x", "w1", "b1"], strides=[2, 2], pads=[1, 1, 1, 1], output_padding=[1, 1]),
             tiny_onnx.node("Relu", "relu", ["up_out"]),
             tiny_onnx.node("ConvTranspose", "grouped", ["relu_out", "w2"], ["y"], group=group)]
    return tiny_onnx.model(nodes, {"x": ["N", 3, 4, 4]}, {"y": ["N", group * 2, 9, 10]},
                           [tiny_onnx.weights("w1", 3, 4, 3, 3), tiny_onnx.weights("b1", 4, seed=2),
                            tiny_onnx.weights("w2", 4, 2, 2, 3, seed=3)])


@pytest.mark.parametrize("group, options", [(1, []), (2, ["--per-tensor"])])
def test_transposed_convolutions(tmp_path, group, options):
    network = tiny_onnx.save(tmp_path / "net.onnx", transposed_model(group))
    x = tmp_path / "x.npy"
    np.save(x, np.random.default_rng(7).normal(size=(6, 3, 4, 4)).astype(np.float32))
    written, layers = quantize(tmp_path, *options, network=network, calibrate=x)
    assert [layer["name"] for layer in layers] == ["up", "grouped"]
    # Another implementation computes what the file says: float32 around the same codes.
    runtime = onnx_torch.infer(written, np.load(x))
    cli.succeed("infer", "--network", written, "--input", x, "--dump-outputs", tmp_path)
    np.testing.assert_allclose(np.load(tmp_path / "y.npy"), runtime, rtol=1e-4, atol=1e-4)
    settings = [*LOSSLESS, "precision.weights.granularity=per_tensor"] if options else LOSSLESS
    runs = [dumped(tmp_path / name, file, settings, x, x) for name, file in (("float", network), ("qdq", written))]
    same_integers(*runs)


def test_groups_of_a_transposed_convolution_share_their_scales(tmp_path):
    network = tiny_onnx.save(tmp_path / "net.onnx", transposed_model(2))
    np.save(tmp_path / "x.npy", np.ones((2, 3, 4, 4), np.float32))
    message = cli.refuse(cli.NETWORK, "quantize", network, "--calibrate", tmp_path / "x.npy", "--out", tmp_path / "q.onnx")
    assert "node 'grouped'" in message and "--per-tensor" in message


def test_weights_in_another_file_are_taken_into_the_model(tmp_path):
    (tmp_path / "model").mkdir()
    proto = folding_model()
    onnx.save(proto, str(tmp_path / "model" / "net.onnx"), save_as_external_data=True, location="weights.bin", size_threshold=0)
    whole = tiny_onnx.save(tmp_path / "whole.onnx", folding_model())
    np.save(tmp_path / "x.npy", np.random.default_rng(6).normal(size=(8, 1, 4, 4)).astype(np.float32))
    files = [quantize(tmp_path, network=n, calibrate=tmp_path / "x.npy")[0].read_bytes()
             for n in (tmp_path / "model" / "net.onnx", whole)]
    assert files[0] == files[1]


def test_layers_of_local_functions(tmp_path):
    function = helper.make_function("own", "Block", ["a", "w"], ["b"],
                                    [tiny_onnx.node("MatMul", "product", ["a", "w"]),
                                     tiny_onnx.node("Relu", "relu", ["product_out"], ["b"])], [helper.make_opsetid("", 13)])
    nodes = [helper.make_node("Block", ["x", "w1"], ["h"], name="first", domain="own"),
             helper.make_node("Block", ["h", "w2"], ["y"], name="second", domain="own")]
    proto = tiny_onnx.model(nodes, {"x": ["N", 6]}, {"y": ["N", 3]},
                            [tiny_onnx.weights("w1", 6, 5), tiny_onnx.weights("w2", 5, 3, seed=2)])
    proto.functions.append(function)
    proto.opset_import.append(helper.make_opsetid("own", 1))
    network = tiny_onnx.save(tmp_path / "net.onnx", proto)
    np.save(tmp_path / "x.npy", np.random.default_rng(8).normal(size=(9, 6)).astype(np.float32))
    written, layers = quantize(tmp_path, network=network, calibrate=tmp_path / "x.npy")
    assert [layer["name"] for layer in layers] == ["first/product", "second/product"]
    assert not onnx.load(str(written)).functions
    same_integers(*[dumped(tmp_path / name, file, LOSSLESS, tmp_path / "x.npy", tmp_path / "x.npy")
                    for name, file in (("float", network), ("qdq", written))])


def test_symbolic_dimensions(tmp_path):
    proto = tiny_onnx.conv_model(x_shape=("N", 1, "side", "side"))
    del proto.graph.output[0].type.tensor_type.shape.dim[:]
    network = tiny_onnx.save(tmp_path / "net.onnx", proto)
    np.save(tmp_path / "x.npy", np.random.default_rng(9).normal(size=(4, 1, 8, 8)).astype(np.float32))
    cli.refuse(cli.NETWORK, "quantize", network, "--calibrate", tmp_path / "x.npy", "--out", tmp_path / "q.onnx")
    written, _ = quantize(tmp_path, "--dim", "side=8", network=network, calibrate=tmp_path / "x.npy")
    dims = onnx.load(str(written)).graph.input[0].type.tensor_type.shape.dim
    assert [d.dim_param for d in dims] == ["N", "", "side", "side"]


def test_equal_calls_write_equal_bytes(tmp_path):
    first = quantize(tmp_path, "--threads", 1)[0].read_bytes()
    assert quantize(tmp_path, "--threads", 2)[0].read_bytes() == first


def test_a_quantised_model_stays_as_it_is(tmp_path):
    written, layers = quantize(tmp_path)
    again = tmp_path / "again"
    again.mkdir()
    twice, layers_again = quantize(again, "--bits", 4, network=written)
    assert [layer["weight_bits"] for layer in layers_again] == [8] * len(layers)
    nodes = [[(n.op_type, list(n.input)) for n in onnx.load(str(file)).graph.node] for file in (written, twice)]
    assert nodes[0] == nodes[1]


REFUSED = {
    "no calibration": (cli.USAGE, ["--calibrate"], lambda a: a[:1] + a[3:]),
    "bits": (cli.USAGE, ["--bits"], lambda a: [*a, "--bits", 17]),
    "layer syntax": (cli.USAGE, ["--layer", "NAME:WEIGHTS:ACTIVATIONS"], lambda a: [*a, "--layer", "conv1"]),
    "layer bits": (cli.CONFIG, ["precision.layers", "conv1", "precision.weights.bits = 8"],
                   lambda a: [*a, "--layer", "conv1:9:8"]),
    "no such layer": (cli.CONFIG, ["precision.layers", "convX", "bitline show"], lambda a: [*a, "--layer", "convX:4:4"]),
    "percentile without method": (cli.USAGE, ["--percentile"], lambda a: [*a, "--percentile", 99]),
    "scheme and channels": (cli.CONFIG, ["precision.weights.calibration"],
                            lambda a: [*a, "--scheme", "dynamic_fixed_point", "--method", "mse"]),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(tmp_path, case):
    code, says, change = REFUSED[case]
    out = tmp_path / "net.onnx"
    message = cli.refuse(code, "quantize", *change([cli.CNN, "--calibrate", cli.CALIBRATION, "--out", out]))
    assert all(text in message for text in says), message
    assert not out.exists()


def test_an_old_operator_set_is_refused(tmp_path):
    model = tiny_onnx.gemm_model()
    model.opset_import[0].version = 11
    network = tiny_onnx.save(tmp_path / "net.onnx", model)
    np.save(tmp_path / "x.npy", np.ones((2, 8), np.float32))
    message = cli.refuse(cli.NETWORK, "quantize", network, "--calibrate", tmp_path / "x.npy", "--out", tmp_path / "q.onnx")
    assert "operator set 11" in message and "13 or newer" in message
