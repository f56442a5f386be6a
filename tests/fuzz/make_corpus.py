# SPDX-License-Identifier: Apache-2.0
"""Writes the seeds of the fuzz targets: python3 tests/fuzz/make_corpus.py [FOLDER] (default: tests/fuzz/corpus).

Files that a fuzzer found (found-*) are not touched.
"""

import io
import pathlib
import struct
import sys
import zlib

import numpy as np
import onnx
from onnx import helper, numpy_helper

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "tests" / "support"))
from tiny_onnx import conv, conv_model, gemm_model, model, node, tensor, weights  # noqa: E402

SUITE = pathlib.Path("/usr/share/libonnx-testdata/data")
LARGEST_OF_THE_SUITE = 2000  # bytes
OPERATORS = set("""
Abs Add AveragePool BatchNormalization Cast Clip Concat Constant ConstantOfShape Conv ConvInteger ConvTranspose
DepthToSpace DequantizeLinear Div Dropout DynamicQuantizeLinear Equal Erf Exp Expand Flatten GRU Gather Gelu Gemm
GlobalAveragePool GlobalMaxPool HardSigmoid HardSwish Identity InstanceNormalization LSTM LayerNormalization LeakyRelu
Log LogSoftmax Loop MatMul MatMulInteger Max MaxPool Mean Min Mul Neg PRelu Pad Pow QLinearConv QLinearMatMul
QuantizeLinear RNN Range ReduceMax ReduceMean ReduceMin ReduceSum Relu Reshape Resize Shape Sigmoid Slice Softmax
SpaceToDepth Split Sqrt Squeeze Sub Sum Tanh Tile Transpose Unsqueeze Upsample Where
""".split())


def conformance_models():
    """Of every set of operators of the ONNX suite the smallest model, so that every handler is reached."""
    taken = set()
    for path in sorted(SUITE.glob("*/*/model.onnx"), key=lambda p: (p.stat().st_size, p.parent.name)):
        if path.stat().st_size > LARGEST_OF_THE_SUITE or "expanded" in path.parent.name:
            continue
        key = frozenset(n.op_type for n in onnx.load(str(path)).graph.node)
        if key <= OPERATORS and key not in taken:
            taken.add(key)
            yield f"suite-{path.parent.name[5:]}.onnx", path.read_bytes()


def quantised_model():
    nodes = [node("QuantizeLinear", "q", ["x", "sx", "zx"], ["xq"]),
             node("DequantizeLinear", "dx", ["xq", "sx", "zx"], ["xd"]),
             node("DequantizeLinear", "dw", ["w", "sw", "zw"], ["wd"], axis=0),
             node("Conv", "conv", ["xd", "wd", "b"], ["y"], kernel_shape=[3, 3])]
    return model(nodes, {"x": ["N", 2, 6, 6]}, {"y": ["N", 4, 4, 4]},
                 [tensor("sx", 0.1), tensor("zx", 3, np.uint8), tensor("sw", [0.1, 0.2, 0.3, 0.4]),
                  tensor("zw", [0] * 4, np.int8), tensor("w", np.arange(72).reshape(4, 2, 3, 3) - 36, np.int8),
                  tensor("b", [0, 1, 2, 3])])


def shape_model():
    """A shape computed, changed and used."""
    nodes = [node("Shape", "shape", ["x"], ["s"]), node("Gather", "batch", ["s", "zero"], ["n"]),
             node("Unsqueeze", "list", ["n", "axes"], ["u"]), node("Concat", "to", ["u", "rest"], ["t"], axis=0),
             node("Reshape", "reshape", ["x", "t"], ["r"]), node("ConstantOfShape", "ones", ["t"], ["o"]),
             node("Add", "add", ["r", "o"], ["y"])]
    return model(nodes, {"x": ["N", 2, 3]}, {"y": ["N", 6]},
                 [tensor(n, v, np.int64) for n, v in {"zero": 0, "axes": [0], "rest": [-1]}.items()])


def block_model():
    """A residual and a concatenation."""
    nodes = [conv("c1", "x", "w1", "a"), node("BatchNormalization", "bn", ["a", "s", "b", "m", "v"], ["n"]),
             node("Relu", "r", ["n"], ["h"]), conv("c2", "h", "w2", "g"), node("Add", "add", ["g", "h"], ["k"]),
             node("Concat", "cat", ["k", "h"], ["c"], axis=1), node("GlobalAveragePool", "gap", ["c"], ["p"]),
             node("Flatten", "flat", ["p"], ["f"]), node("Gemm", "fc", ["f", "w3"], ["y"], transB=1)]
    return model(nodes, {"x": ["N", 1, 5, 5]}, {"y": ["N", 3]},
                 [weights("w1", 2, 1, 3, 3), weights("w2", 2, 2, 3, 3), weights("w3", 3, 4)]
                 + [tensor(n, [1, 2]) for n in "sbmv"])


def local_function_model():
    proto = model([helper.make_node("Twice", ["x"], ["y"], name="twice", domain="local")], {"x": [1, 4]}, {"y": [1, 4]})
    proto.opset_import.append(helper.make_opsetid("local", 1))
    body = [helper.make_node("Add", ["a", "a"], ["b"])]
    proto.functions.append(helper.make_function("local", "Twice", ["a"], ["b"], body, [helper.make_opsetid("", 13)]))
    return proto


def external_model():
    proto = conv_model()
    weight = proto.graph.initializer[0]
    weight.ClearField("raw_data")
    weight.data_location = onnx.TensorProto.EXTERNAL
    for key, value in {"location": "weights.bin", "offset": "0", "length": "144"}.items():
        weight.external_data.add(key=key, value=value)
    return proto


def networks():
    yield from conformance_models()
    for name, proto in {"conv": conv_model(), "gemm": gemm_model(), "quantised": quantised_model(),
                        "shapes": shape_model(), "block": block_model(), "function": local_function_model(),
                        "external": external_model(),
                        "grouped": model([conv("c", "x", "w", "y", group=2)], {"x": [1, 4, 5, 5]}, {"y": [1, 4, 5, 5]},
                                         [weights("w", 4, 2, 3, 3)])}.items():
        yield f"own-{name}.onnx", proto.SerializeToString()


def machines():
    """Beside the shipped ones, which are read where they are."""
    yield "overrides", (b"crossbar:\n  rows: 64\n\0crossbar.rows=32\nadc.resolution.policy=fixed\n"
                             b"adc.resolution.bits=1,3,3,3\nslices.widths=2,2,2,1\ncrossbar.read_latency=50 ns")
    yield "sources", b'adc: {source: "a table", rate: {value: 1.28 GS/s, source: x}, power: 16 mW}\n'
    yield "faults", b"crossbar: [1, *a, {b: &c 1}]\n? {x: 1}\n: !!int 5\n---\nrows: -1e99 ns\n"


def png(width, height, channels, pixels):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = b"".join(b"\0" + pixels[r * width * channels:(r + 1) * width * channels] for r in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, {1: 0, 3: 2}[channels], 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9))
            + chunk(b"IEND", b""))


# A baseline JPEG of 8x8 grey pixels: quantisation and Huffman tables of one code each, one block of zeros.
JPEG = (b"\xff\xd8\xff\xdb\x00\x43\x00" + bytes([1] * 64) + b"\xff\xc0\x00\x0b\x08\x00\x08\x00\x08\x01\x01\x11\x00"
        + b"\xff\xc4\x00\x14\x00" + bytes([1] + [0] * 15) + b"\x00" + b"\xff\xc4\x00\x14\x10" + bytes([1] + [0] * 15)
        + b"\x00" + b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00\x3f\xff\xd9")


def arrays():
    def npy(values, order="C"):
        stream = io.BytesIO()
        np.save(stream, np.asarray(values, order=order))
        return stream.getvalue()
    pixels = bytes(range(64))
    ramp = np.arange(128, dtype=np.float32).reshape(2, 1, 8, 8)
    files = {
        "npy-float": (0, 0, npy(ramp)), "npy-fortran": (0, 0, npy(ramp, "F")), "npy-half": (0, 2, npy(
            np.zeros((1, 64), np.float16))), "npy-labels": (0, 3, npy(np.arange(4))),
        "pb": (1, 0, numpy_helper.from_array(ramp, "x").SerializeToString()),
        "cifar": (2, 1, (b"\x03" + bytes(3072)) * 2),
        "idx-images": (3, 0, struct.pack(">BBBBIII", 0, 0, 8, 3, 1, 8, 8) + pixels),
        "idx-labels": (3, 3, struct.pack(">BBBBI", 0, 0, 8, 1, 4) + bytes(4)),
        "png-grey": (4, 0, png(8, 8, 1, pixels)), "png-colour": (4, 0, png(8, 8, 3, pixels * 3)),
        "jpeg": (5, 0, JPEG),
    }
    for name, (file_format, shape, content) in files.items():
        yield name, bytes([file_format, shape]) + content


def write(folder):
    for target, seeds in {"network": networks, "machine": machines, "arrays": arrays}.items():
        (folder / target).mkdir(parents=True, exist_ok=True)
        for name, content in seeds():
            (folder / target / name).write_bytes(content)


if __name__ == "__main__":
    write(pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "corpus")
