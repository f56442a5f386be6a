#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the quantised models of this folder and their expected outputs with ONNX Runtime's own quantiser.

The runtime is no package of Debian; a virtual environment of its own serves (1.31.1 with onnx 1.23.2 made the files):

    python3 -m venv build/runtime && build/runtime/bin/pip install onnxruntime onnx
    build/runtime/bin/python tests/golden/quantised/make.py

Expected outputs are those of the runtime's defaults, which compute layers between quantised values in integers. (With
graph optimisations off it computes them in float32, where sums that fall on ties round either way: about 5 % of these
outputs are then one step apart from its own defaults.)
"""

import os
import pathlib
import subprocess
import tempfile

import numpy as np
import onnxruntime
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

HERE = pathlib.Path(__file__).resolve().parent
WORKLOADS = HERE.parents[2] / "workloads"
MODELS = {
    "qdq-tensor": (QuantFormat.QDQ, False, QuantType.QUInt8),
    "qdq-channel": (QuantFormat.QDQ, True, QuantType.QUInt8),
    "qdq-channel-signed": (QuantFormat.QDQ, True, QuantType.QInt8),
    "qlinear-tensor": (QuantFormat.QOperator, False, QuantType.QUInt8),
    "qlinear-channel": (QuantFormat.QOperator, True, QuantType.QUInt8),
}
# Options of `bitline quantize`.
WRITTEN = {"bitline-8bit": [], "bitline-mixed": ["--bits", "6", "--method", "mse", "--layer", "conv2:4:5"]}


class Images(CalibrationDataReader):
    def __init__(self):
        self.images = iter(np.load(WORKLOADS / "digits-calibration-x.npy"))

    def get_next(self):
        image = next(self.images, None)
        return None if image is None else {"input": image[None]}


def session(path, **settings):
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.x64quantprecision", "1")  # no saturating products on old processors
    return onnxruntime.InferenceSession(str(path), options, **settings)


def written_by_bitline(images):
    """What `bitline quantize` writes, and what the runtime makes of it.

    One optimiser is off: it rounds biases to multiples of the scales of input and weights, coarse steps with few bits. The
    others change nothing: outputs equal those without any.
    """
    bitline = os.environ.get("BITLINE", WORKLOADS.parent / "build" / "release" / "bin" / "bitline")
    for name, options in WRITTEN.items():
        model = HERE / f"{name}.onnx"
        subprocess.run([bitline, "quantize", WORKLOADS / "digits-cnn.onnx", "--out", model, "--calibrate",
                        WORKLOADS / "digits-calibration-x.npy", *options], check=True)
        exact = session(model, disabled_optimizers=["WeightBiasQuantization"])
        np.save(HERE / f"{name}.npy", exact.run(None, {"input": images})[0])


def main():
    images = np.load(WORKLOADS / "digits-test-x.npy")
    with tempfile.TemporaryDirectory() as folder:
        prepared = pathlib.Path(folder) / "prepared.onnx"
        quant_pre_process(str(WORKLOADS / "digits-cnn.onnx"), str(prepared), skip_symbolic_shape=True)
        for name, (form, per_channel, activations) in MODELS.items():
            model = HERE / f"{name}.onnx"
            quantize_static(str(prepared), str(model), Images(), quant_format=form, per_channel=per_channel,
                            activation_type=activations, weight_type=QuantType.QInt8)
            np.save(HERE / f"{name}.npy", session(model).run(None, {"input": images})[0])
    written_by_bitline(images)


if __name__ == "__main__":
    main()
