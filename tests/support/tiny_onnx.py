# SPDX-License-Identifier: Apache-2.0
"""Small ONNX files for tests: good ones, and ones with exactly one fault each."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

FLOAT = TensorProto.FLOAT


def tensor(name, values, dtype=np.float32):
    return numpy_helper.from_array(np.asarray(values, dtype), name)


def weights(name, *shape, seed=1):
    return tensor(name, np.random.default_rng(seed).uniform(-1, 1, shape))


def model(nodes, inputs, outputs, initializers=()):
    """Inputs and outputs as {name: shape}; not checked, so faults stay in."""
    def infos(shapes):
        return [helper.make_tensor_value_info(name, FLOAT, shape) for name, shape in shapes.items()]
    graph = helper.make_graph(list(nodes), "tiny", infos(inputs), infos(outputs), list(initializers))
    return helper.make_model(graph, ir_version=7, opset_imports=[helper.make_opsetid("", 13)])


def node(op, name, inputs, outputs=None, **attributes):
    return helper.make_node(op, list(inputs), outputs or [f"{name}_out"], name=name, **attributes)


def conv(name="conv1", source="x", weight="w", output=None, **attributes):
    return node("Conv", name, [source, weight], output and [output],
                **{"kernel_shape": [3, 3], "pads": [1, 1, 1, 1], **attributes})


def gemm_model(in_features=8, out_features=4, seed=1):
    """x [N,in] -> y [N,out]."""
    return model([node("Gemm", "fc1", ["x", "w", "b"], ["y"], transB=1)], {"x": ["N", in_features]},
                 {"y": ["N", out_features]},
                 [weights("w", out_features, in_features, seed=seed), weights("b", out_features, seed=seed + 1)])


def conv_model(x_shape=("N", 1, 8, 8), initializers=None, **attributes):
    """x -> conv1 -> y with a random 4x1x3x3 weight "w", unless other initializers are given."""
    initializers = [weights("w", 4, 1, 3, 3)] if initializers is None else initializers
    return model([conv(output="y", **attributes)], {"x": list(x_shape)}, {"y": ["N", 4, 8, 8]}, initializers)


def depthwise_digits():
    """A separable convolution for the digits: x [N,1,8,8] -> conv1 -> depthwise -> fc -> y [N,10]."""
    nodes = [conv("conv1", "x", "w1"), conv("depthwise", "conv1_out", "w2", group=4),
             node("Flatten", "flatten", ["depthwise_out"]), node("Gemm", "fc", ["flatten_out", "w3"], ["y"], transB=1)]
    return model(nodes, {"x": ["N", 1, 8, 8]}, {"y": ["N", 10]},
                 [weights("w1", 4, 1, 3, 3), weights("w2", 4, 1, 3, 3, seed=2), weights("w3", 10, 256, seed=3)])


def save(path, proto):
    path.write_bytes(proto.SerializeToString())
    return path
