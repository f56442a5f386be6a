# SPDX-License-Identifier: Apache-2.0
"""Bit-level sparsity-tolerant architecture search (BST-NAS): DARTS cells with weights and activations of few bits, trained for
sparse bit slices, with the cost of a crossbar machine in the search. Needs PyTorch, onnx and scikit-learn.

>>> from bitline.nas.quantise import quantise
>>> from bitline.nas.slices import penalty
>>> quantise(module)                                               # any torch module of Conv2d and Linear layers
>>> loss = criterion(module(x), y) + 1e-4 * penalty(module, "bitslice-l1", bits_per_cell=2)
>>> from bitline.nas.export import export
>>> open("network.onnx", "wb").write(export(module, (3, 32, 32)))  # QDQ: `bitline run` computes with these integers
"""
