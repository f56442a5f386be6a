#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Trains the two digit networks and writes them beside the arrays that the tests and the first run use.

Data: scikit-learn's bundled digits (1797 images of 8x8 pixels, values 0..16, scaled here to 0..1).
360 images, stratified by class, are held out; augmentation, widths and epochs were chosen on parts of the
rest. One thread and fixed seeds make a run repeatable on one machine and PyTorch version.

    /usr/bin/python3 workloads/train_digits.py            # writes into workloads/
    /usr/bin/python3 workloads/train_digits.py --out DIR
"""

import argparse
import pathlib
import random

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.nn import functional

SEED = 7
TEST_IMAGES = 360
CALIBRATION_IMAGES = 64
OPSET = 13
BATCH = 64
LEARNING_RATE = 3e-3


def split():
    """(train_x, train_y, test_x, test_y): float32 [n,1,8,8] in 0..1 and int64 [n]."""
    x, y = load_digits(return_X_y=True)
    x = (x / 16.0).astype(np.float32).reshape(-1, 1, 8, 8)
    train_x, test_x, train_y, test_y = train_test_split(
        x, y.astype(np.int64), test_size=TEST_IMAGES, stratify=y, random_state=SEED)
    return train_x, train_y, test_x, test_y


def calibration(train_x, train_y):
    """Training images, stratified: what activation scales are taken from."""
    chosen, _ = train_test_split(train_x, train_size=CALIBRATION_IMAGES, stratify=train_y, random_state=SEED)
    return chosen


class Cnn(nn.Module):
    """Stem, a residual block, two parallel branches that are concatenated, a classifier."""

    def __init__(self):
        super().__init__()
        def conv(i, o, k):
            return nn.Conv2d(i, o, k, padding=k // 2, bias=False)
        self.conv1, self.bn1 = conv(1, 16, 3), nn.BatchNorm2d(16)
        self.conv2, self.bn2 = conv(16, 16, 3), nn.BatchNorm2d(16)
        self.conv3, self.bn3 = conv(16, 16, 3), nn.BatchNorm2d(16)
        self.conv4, self.bn4 = conv(16, 16, 1), nn.BatchNorm2d(16)
        self.conv5, self.bn5 = conv(16, 16, 3), nn.BatchNorm2d(16)
        self.conv6, self.bn6 = conv(32, 32, 3), nn.BatchNorm2d(32)
        self.fc = nn.Linear(32 * 2 * 2, 10)

    def forward(self, x):
        stem = functional.relu(self.bn1(self.conv1(x)))
        block = functional.relu(self.bn2(self.conv2(stem)))
        block = functional.relu(self.bn3(self.conv3(block)) + stem)
        pooled = functional.max_pool2d(block, 2)
        narrow = functional.relu(self.bn4(self.conv4(pooled)))
        wide = functional.relu(self.bn5(self.conv5(pooled)))
        joined = torch.cat([narrow, wide], dim=1)
        joined = functional.relu(self.bn6(self.conv6(joined)))
        joined = functional.avg_pool2d(joined, 2)
        return self.fc(torch.flatten(joined, 1))


class Mlp(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1, self.fc2, self.fc3 = nn.Linear(64, 128), nn.Linear(128, 64), nn.Linear(64, 10)

    def forward(self, x):
        x = functional.relu(self.fc1(torch.flatten(x, 1)))
        return self.fc3(functional.relu(self.fc2(x)))


def shifted(images):
    """Half of the images moved by up to one pixel in either direction, zeros moving in."""
    padded = functional.pad(images, (1, 1, 1, 1))
    moved = images.clone()
    offsets = torch.randint(0, 3, (len(images), 2))
    offsets[torch.rand(len(images)) < 0.5] = 1
    for i, (dy, dx) in enumerate(offsets.tolist()):
        moved[i] = padded[i, :, dy:dy + 8, dx:dx + 8]
    return moved


def train(model, x, y, epochs):
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, weight_decay=1e-2)
    steps = epochs * (len(x) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=LEARNING_RATE, total_steps=steps)
    x, y = torch.from_numpy(x), torch.from_numpy(y)
    model.train()
    for _ in range(epochs):
        order = torch.randperm(len(x))
        for start in range(0, len(x) - BATCH + 1, BATCH):
            batch = order[start:start + BATCH]
            loss = functional.cross_entropy(model(shifted(x[batch])), y[batch], label_smoothing=0.05)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    model.eval()


@torch.no_grad()
def accuracy(model, x, y):
    return float((model(torch.from_numpy(x)).argmax(1).numpy() == y).mean())


class OnnxWriter:
    """Nodes in order of the forward pass, each with its own name; BatchNormalization stays a node."""

    def __init__(self, model):
        self.state = {k: v.detach().numpy() for k, v in model.state_dict().items()}
        self.nodes, self.initializers = [], []

    def node(self, op, name, inputs, **attributes):
        self.nodes.append(helper.make_node(op, inputs, [name], name=name, **attributes))
        return name

    def weight(self, key):
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(self.state[key]), key))
        return key

    def conv_bn(self, index, x, kernel):
        pad = kernel // 2
        conv = self.node("Conv", f"conv{index}", [x, self.weight(f"conv{index}.weight")],
                         kernel_shape=[kernel, kernel], pads=[pad] * 4, strides=[1, 1])
        names = [self.weight(f"bn{index}.{k}") for k in ("weight", "bias", "running_mean", "running_var")]
        return self.node("BatchNormalization", f"bn{index}", [conv, *names], epsilon=1e-5)

    def conv_bn_relu(self, index, x, kernel):
        return self.node("Relu", f"relu{index}", [self.conv_bn(index, x, kernel)])

    def gemm(self, name, x):
        return self.node("Gemm", name, [x, self.weight(f"{name}.weight"), self.weight(f"{name}.bias")], transB=1)

    def save(self, path, name, output):
        """`output` becomes "logits" [N,10]; the input is "input" [N,1,8,8]."""
        self.nodes[-1].output[0] = "logits"
        assert self.nodes[-1].name == output
        graph = helper.make_graph(
            self.nodes, name,
            [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["N", 1, 8, 8])],
            [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", 10])], self.initializers)
        model = helper.make_model(graph, producer_name="bitline", ir_version=7,
                                  opset_imports=[helper.make_opsetid("", OPSET)])
        onnx.checker.check_model(model, full_check=True)
        onnx.save(model, path)


def export_cnn(model, path):
    writer = OnnxWriter(model)
    stem = writer.conv_bn_relu(1, "input", 3)
    block = writer.conv_bn(3, writer.conv_bn_relu(2, stem, 3), 3)
    block = writer.node("Relu", "relu3", [writer.node("Add", "add1", [block, stem])])
    pooled = writer.node("MaxPool", "pool1", [block], kernel_shape=[2, 2], strides=[2, 2])
    narrow, wide = writer.conv_bn_relu(4, pooled, 1), writer.conv_bn_relu(5, pooled, 3)
    joined = writer.node("Concat", "concat1", [narrow, wide], axis=1)
    joined = writer.conv_bn_relu(6, joined, 3)
    joined = writer.node("AveragePool", "pool2", [joined], kernel_shape=[2, 2], strides=[2, 2])
    flat = writer.node("Flatten", "flatten1", [joined], axis=1)
    writer.save(path, "digits-cnn", writer.gemm("fc", flat))


def export_mlp(model, path):
    writer = OnnxWriter(model)
    x = writer.node("Flatten", "flatten1", ["input"], axis=1)
    x = writer.node("Relu", "relu1", [writer.gemm("fc1", x)])
    x = writer.node("Relu", "relu2", [writer.gemm("fc2", x)])
    writer.save(path, "digits-mlp", writer.gemm("fc3", x))


NETWORKS = {"digits-cnn": (Cnn, export_cnn, 60), "digits-mlp": (Mlp, export_mlp, 150)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent)
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)

    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    train_x, train_y, test_x, test_y = split()
    np.save(out / "digits-test-x.npy", test_x)
    np.save(out / "digits-test-y.npy", test_y)
    np.save(out / "digits-calibration-x.npy", calibration(train_x, train_y))

    for name, (network, export, epochs) in NETWORKS.items():
        random.seed(SEED)
        np.random.seed(SEED)
        torch.manual_seed(SEED)
        model = network()
        train(model, train_x, train_y, epochs)
        export(model, out / f"{name}.onnx")
        print(f"{name}: train {accuracy(model, train_x, train_y):.4f}, "
              f"held out {accuracy(model, test_x, test_y):.4f} of {len(test_y)} images")


if __name__ == "__main__":
    main()
