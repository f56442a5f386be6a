# SPDX-License-Identifier: Apache-2.0
"""A crossbar layer in NumPy, deliberately slow, written from section 3 of the design and from nothing else.

It takes a folder written by --dump-layers and computes each layer's integer sums again from its integer inputs,
its integer weights and its entry in layers.json. Everything is Python integers or int64; no line of the C++ was
a model for it.
"""

import json
import pathlib

import numpy as np


TWO_ARRAYS = ("differential", "centre_offset")


def subtracts(entry):
    """Whether two arrays are subtracted before one signed conversion."""
    return entry["weight_encoding"] in TWO_ARRAYS and entry["subtraction"] == "analog"


def centre_of(q, entry, bits):
    """The centre of one output (encoding centre_offset): of the multiples of 2^(bits-8), or of 1, from min(0, min q) to
    max(0, max q) that for which sum_s 2^shift_s * (sum_i sign * slice_s |q_i - c|)^4 is least; then nearest to zero, then
    least."""
    step = 2 ** max(0, bits - 8)
    low, high = min(0, int(q.min())), max(0, int(q.max()))
    candidates = np.array(sorted(range(-(-low // step) * step, high + 1, step), key=lambda c: (abs(c), c)))
    difference = q[None, :] - candidates[:, None]
    cost = np.zeros(len(candidates))
    for width, shift, _ in slices_of(entry):
        signed = np.sign(difference) * ((np.abs(difference) >> shift) % 2**width)
        total = signed.sum(axis=1).astype(np.float64)
        cost += 2.0**shift * ((total * total) * (total * total))
    return int(candidates[np.argmin(cost)])    # the first of equal ones


def cells_of(q, entry, bits):
    """[(sign, codes)]: one array of non-negative cell codes per physical array. q [row] or [output][row]; for encoding
    centre_offset already less the centres."""
    encoding = entry["weight_encoding"]
    if encoding in TWO_ARRAYS:
        return [(+1, np.where(q > 0, q, 0)), (-1, np.where(q < 0, -q, 0))]
    if encoding == "offset":
        return [(+1, q + 2 ** (bits - 1))]
    assert encoding == "twos_complement"
    return [(+1, np.where(q < 0, q + 2**bits, q))]


def slices_of(entry):
    """[(width, shift, sign)], most significant first."""
    result = []
    shift = sum(entry["slice_widths"])
    for index, width in enumerate(entry["slice_widths"]):
        shift -= width
        negative = entry["weight_encoding"] == "twos_complement" and index == 0
        result.append((width, shift, -1 if negative else 1))
    return result


def chunks_of(entry):
    """[(width, shift, sign)] of the input bits, least significant first."""
    bits = entry["activation_bits"]
    plain = bits - 1 if entry["activation_signed"] else bits
    result = []
    shift = 0
    while shift < plain:
        width = min(entry["dac_bits"], plain - shift)
        result.append((width, shift, 1))
        shift += width
    if entry["activation_signed"]:
        result.append((1, plain, -1))
    return result


def convert(analog_sum, adc_bits, rows, width, entry):
    """One ADC: the analog sum of each position to the value that its code stands for."""
    if adc_bits == 0:
        assert not np.any(analog_sum)
        return np.zeros_like(analog_sum)
    signed = subtracts(entry)
    top = 2 ** (adc_bits - 1) - 1 if signed else 2**adc_bits - 1
    bottom = -top if signed else 0
    if entry["conversion"] == "clip":
        return np.clip(analog_sum, bottom, top)
    assert entry["conversion"] == "truncate"
    t = 0
    while rows * (2**width - 1) * (2 ** entry["dac_bits"] - 1) > top * 2**t:
        t += 1
    return np.clip(np.rint(analog_sum / 2**t).astype(np.int64), bottom, top) * 2**t


def column_sums(x, columns, adc_bits, width, entry):
    """Sum over the chunks of one column of a row block and slice; `columns`: its cells in each array."""
    rows = x.shape[1]
    codes = np.where(x < 0, x + 2 ** entry["activation_bits"], x)
    total = np.zeros(len(x), np.int64)
    stored = []
    for sign, cells in columns:
        dense = entry["flip"] and 2 * int(cells.sum()) > rows * (2**width - 1)
        stored.append((sign, dense, 2**width - 1 - cells if dense else cells))
    for chunk_width, chunk_shift, chunk_sign in chunks_of(entry):
        driven = (codes >> chunk_shift) % 2**chunk_width
        if subtracts(entry):
            difference = sum(sign * (driven @ cells) for sign, _, cells in stored)
            value = convert(difference, adc_bits, rows, width, entry)
        else:
            value = np.zeros(len(x), np.int64)
            for sign, dense, cells in stored:
                code = convert(driven @ cells, adc_bits, rows, width, entry)
                if dense:
                    code = (2**width - 1) * driven.sum(axis=1) - code
                value += sign * code
        total += chunk_sign * 2**chunk_shift * value
    return total


def code_bits(entry):
    """Of a signed weight code."""
    return entry["weight_bits"] + (1 if entry["weight_scheme"] == "dynamic_fixed_point" else 0)


def group_sums(x, q, entry, given_centres=()):
    """x [positions, rows], q [outputs, rows] of one group -> [positions, outputs]. `given_centres`: those of the dump,
    which are checked."""
    bits = code_bits(entry)
    y = np.zeros((len(x), len(q)), np.int64)
    for j, weights in enumerate(q):
        centre = 0
        if entry["weight_encoding"] == "centre_offset":
            centre = centre_of(weights, entry, bits)
            assert centre == given_centres[j]
        arrays = cells_of(weights - centre, entry, bits)
        for block, (first, last) in enumerate(entry["row_blocks"]):
            for index, (width, shift, sign) in enumerate(slices_of(entry)):
                columns = [(s, (codes[first:last] >> shift) % 2**width) for s, codes in arrays]
                adc_bits = entry["adc_bits"][block][index]
                y[:, j] += sign * 2**shift * column_sums(x[:, first:last], columns, adc_bits, width, entry)
        if entry["weight_encoding"] == "offset":
            y[:, j] -= 2 ** (bits - 1) * x.sum(axis=1)
        y[:, j] += centre * x.sum(axis=1)
        y[:, j] -= entry["activation_zero_point"] * int(weights.sum())
    return y


def windows(x, kernel, entry):
    """x [N, C, H, W] -> [N * OH * OW, C, kh * kw] and (OH, OW)."""
    top, left, bottom, right = entry["pads"]
    padded = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)), constant_values=entry["activation_zero_point"])
    sh, sw = entry["strides"]
    dh, dw = entry["dilations"]
    kh, kw = kernel
    oh = (padded.shape[2] - (kh - 1) * dh - 1) // sh + 1
    ow = (padded.shape[3] - (kw - 1) * dw - 1) // sw + 1
    rows = []
    for n in range(len(x)):
        for i in range(oh):
            for j in range(ow):
                window = padded[n, :, i * sh : i * sh + (kh - 1) * dh + 1 : dh, j * sw : j * sw + (kw - 1) * dw + 1 : dw]
                rows.append(window.reshape(x.shape[1], kh * kw))
    return np.array(rows), (oh, ow)


def layer_sums(x, w, entry):
    """The integer sums of a layer, in the shape of its output."""
    x = x.astype(np.int64)
    w = w.astype(np.int64)
    if entry["op"] == "linear":
        return mapped_sums(x.reshape(-1, x.shape[-1]), w, entry).reshape(*x.shape[:-1], len(w))
    assert entry["op"] == "conv"
    cut, (oh, ow) = windows(x, w.shape[2:], entry)
    y = mapped_sums(cut.reshape(len(cut), -1), w.reshape(len(w), -1), entry)
    return y.reshape(len(x), oh, ow, len(w)).transpose(0, 3, 1, 2)


def mapped_sums(x, w, entry):
    """x [positions, rows of all groups], w [outputs of all groups, rows of a group] -> [positions, outputs].

    Only the rows and outputs on the crossbars are computed; the others hold zeros, which is checked."""
    groups, rows = entry["group"], w.shape[1]
    mapped_rows = np.array(entry["mapped_rows"] or range(groups * rows))
    mapped_outputs = np.array(entry["mapped_outputs"] or range(len(w)))
    in_group = entry["row_blocks"][-1][1]                       # rows of a group on the crossbars
    mapped_groups = len(mapped_rows) // in_group
    y = np.zeros((len(x), len(w)), np.int64) + np.array(entry["folded"] or [0], np.int64)
    seen = np.zeros_like(w, bool)
    for g in range(mapped_groups):
        part = mapped_rows[g * in_group:(g + 1) * in_group]
        outputs = mapped_outputs.reshape(mapped_groups, -1)[g]
        own = np.ix_(outputs, part % rows)
        assert len(set(part // rows)) == 1 and set(outputs // (len(w) // groups)) == {part[0] // rows}
        centres = np.array(entry["centres"]).reshape(mapped_groups, -1)[g]
        y[:, outputs] += group_sums(x[:, part], w[own], entry, centres)
        seen[own] = True
    assert not np.any(w[~seen])
    return y


KEYS = (
    "name node op strides pads dilations group weight_bits weight_scheme weight_encoding subtraction weight_scale "
    "slice_widths activation_bits activation_signed activation_scale activation_zero_point dac_bits flip row_blocks "
    "conversion adc_bits mapped_rows mapped_outputs folded centres"
).split()


def check_folder_entries(folder):
    """The entries of layers.json, with exactly the keys they must have."""
    entries = json.loads((pathlib.Path(folder) / "layers.json").read_text())
    assert entries
    for entry in entries:
        assert list(entry) == KEYS
    return entries


def arrays(folder, entry):
    """x, w and y of a layer."""
    x, w, y = (np.load(pathlib.Path(folder) / f"{entry['name']}.{part}.npy") for part in "xwy")
    assert x.dtype == np.int32 and w.dtype == np.int32 and y.dtype == np.int64
    return x, w, y


def check_folder(folder):
    """Compares every layer of a --dump-layers folder; returns the entries of layers.json."""
    entries = check_folder_entries(folder)
    for entry in entries:
        x, w, y = arrays(folder, entry)
        assert len(entry["weight_scale"]) == len(w)
        expected = layer_sums(x, w, entry)
        assert expected.shape == y.shape, entry
        assert np.array_equal(expected, y), entry
    return entries
