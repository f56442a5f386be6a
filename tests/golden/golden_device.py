# SPDX-License-Identifier: Apache-2.0
"""A crossbar layer on cells and converters that are not ideal, in NumPy: every draw, every conductance and every
conversion again, from the tables of models/device/README.md and sim/engine/README.md and from no line of the C++.

For layers without groups and of one copy whose crossbars lie in one IMA, one row block each.
"""

import dataclasses
import statistics

import numpy as np

import golden_layer

REFERENCE = 2**31


@dataclasses.dataclass
class Chip:
    """Values of the keys of device.* and adc.errors.*, with their defaults."""

    seed: int = 1
    bits_per_cell: int = 2
    r_on: float = 1333.0
    r_off: float = 20e3
    off_state: str = "ideal"
    off_current: str = "reference_column"
    variation_model: str = "none"
    variation_sigma: float = 0.1
    stuck_off: float = 0.0
    stuck_on: float = 0.0
    read_noise: float = 0.0
    wire_resistance: float = 0.0
    drift_exponent: float = 0.0
    drift_spread: float = 0.0
    drift_time: float = 86400.0
    adc_offset: float = 0.0
    adc_offset_spread: float = 0.0
    adc_gain: float = 0.0
    adc_gain_spread: float = 0.0
    adc_noise: float = 0.0

    def overrides(self):
        """--set arguments that make this chip."""
        words = []
        for field in dataclasses.fields(self):
            name, value = field.name, getattr(self, field.name)
            unit = {"r_on": " Ohm", "r_off": " Ohm", "wire_resistance": " Ohm", "drift_time": " s"}.get(name, "")
            section, _, rest = name.partition("_")
            key = f"adc.errors.{rest}" if section == "adc" else \
                f"device.{section}.{rest}" if section in ("variation", "stuck", "drift") else f"device.{name}"
            words += ["--set", f"{key}={value}{unit}"]
        return words

    @property
    def key(self):
        return self.seed % 2**32, self.seed >> 32

    @property
    def off(self):
        return 1 / self.r_off if self.off_state == "finite" else 0.0

    @property
    def step(self):
        return (1 / self.r_on - self.off) / (2**self.bits_per_cell - 1)


def philox(counter, key):
    """Philox4x32-10: four words for each counter; any shapes that broadcast."""
    c = [np.asarray(word, np.uint64) for word in np.broadcast_arrays(*counter)]
    k = [np.uint64(word) for word in key]
    low = np.uint64(0xFFFFFFFF)
    for _ in range(10):
        first, third = c[0] * np.uint64(0xD2511F53), c[2] * np.uint64(0xCD9E8D57)
        c = [(third >> np.uint64(32)) ^ c[1] ^ k[0], third & low, (first >> np.uint64(32)) ^ c[3] ^ k[1], first & low]
        k = [(k[0] + np.uint64(0x9E3779B9)) & low, (k[1] + np.uint64(0xBB67AE85)) & low]
    return c


def uniform(words):
    return (words.astype(np.float64) + 0.5) / 2.0**32


_quantile = np.vectorize(statistics.NormalDist().inv_cdf, otypes=[np.float64])


def normal(words):
    return _quantile(uniform(words))


def programmed(chip, levels, words):
    """Conductances in siemens of cells at `levels`."""
    g = chip.off + levels * chip.step
    if chip.variation_model == "normal":
        g = g * (1 + chip.variation_sigma * normal(words[0]))
    elif chip.variation_model == "lognormal":
        g = g * np.exp(chip.variation_sigma * normal(words[0]))
    elif chip.variation_model == "measured":
        x = g * chip.r_on
        g = g + (0.348 + 16.03 * x - 43.853 * x**2 + 45.393 * x**3 - 16.815 * x**4) / 40 / chip.r_on * normal(words[0])
    g = np.maximum(g, 0)
    exponent = chip.drift_exponent + chip.drift_spread * normal(words[2])
    g = g * chip.drift_time**-exponent    # since the default reference time, one second
    u = uniform(words[1])
    g = np.where(u < chip.stuck_off, chip.off, g)
    return np.where((u >= chip.stuck_off) & (u < chip.stuck_off + chip.stuck_on), 1 / chip.r_on, g)


def ladder(g, wire):
    """Node voltages along axis 0: 1 V through one segment of `wire` siemens before node 0, g to ground at each."""
    share = np.empty_like(g)
    beyond = np.zeros(g.shape[1:])
    for i in reversed(range(len(g))):
        share[i] = wire / (wire + g[i] + beyond)
        beyond = (g[i] + beyond) * share[i]
    return np.cumprod(share, axis=0)


def crossbar(chip, levels, slices, array, first, layer):
    """levels [output][slice][row] of one array and row block -> cells of the same shape and the reference column, in
    steps of a level."""
    outputs, count, rows = levels.shape
    row = np.arange(first, first + rows)
    o, s = np.arange(outputs)[:, None, None], np.arange(count)[None, :, None]
    g = programmed(chip, levels, philox((row[None, None], o, s + array * 2**8, layer), chip.key))
    reference = programmed(chip, np.zeros(rows), philox((row, REFERENCE, slices[0] + array * 2**8, layer), chip.key))
    wires = g.reshape(outputs * count, rows).T
    has_reference = chip.off_state == "finite" and chip.off_current == "reference_column"
    if has_reference:
        wires = np.concatenate([wires, reference[:, None]], axis=1)
    if chip.wire_resistance:
        wires = wires * ladder(wires, 1 / chip.wire_resistance) * ladder(wires.T, 1 / chip.wire_resistance).T
    if has_reference:
        reference = wires[:, -1]
        wires = wires[:, :-1]
    cells = (wires.T.reshape(outputs, count, rows) / chip.step).astype(np.float32)
    return cells, (reference / chip.step).astype(np.float32) if has_reference else None


def column_sums(driven, cells):
    """float32, row after row, each product rounded: sums [position][column], and sums of squared products."""
    total = np.zeros((len(driven), len(cells)), np.float32)
    squares = np.zeros_like(total)
    for x, g in zip(driven.T.astype(np.float32), cells.T):
        product = x[:, None] * g[None, :]
        total = total + product
        squares = squares + product * product
    return total.astype(np.float64), squares.astype(np.float64)


def read_draws(read_key, first_word, lanes, windows, what, kind):
    """A standard normal for each window and output."""
    words = np.stack(philox((first_word[None, :], windows[:, None], what, kind), read_key))
    return normal(np.take_along_axis(words, lanes[None, None, :] * np.ones((1, len(windows), 1), int), 0)[0])


def group_sums(chip, x, q, entry, layer, image, owner):
    """x [positions, rows] of one image, q [outputs, rows] -> [positions, outputs]: as golden_layer, with real cells.
    `owner`: the layer whose crossbars it uses."""
    slices = golden_layer.slices_of(entry)
    outputs, windows = np.arange(len(q)), np.arange(len(x))
    analog = golden_layer.subtracts(entry)
    read_key = [int(word) for word in philox((image, 0, 0, 2**28 + layer), chip.key)[:2]]
    centres = np.zeros(len(q), np.int64)
    if entry["weight_encoding"] == "centre_offset":
        centres = np.array([golden_layer.centre_of(weights, entry, golden_layer.code_bits(entry)) for weights in q])
    arrays = golden_layer.cells_of(q - centres[:, None], entry, entry["weight_bits"])
    codes = np.where(x < 0, x + 2 ** entry["activation_bits"], x)
    y = np.zeros((len(x), len(q)), np.int64)
    for block, (first, last) in enumerate(entry["row_blocks"]):
        stored, flips = [], []
        for _, code in arrays:
            levels = np.stack([(code[:, first:last] >> shift) % 2**width for width, shift, _ in slices], axis=1)
            full = np.array([2**width - 1 for width, _, _ in slices])[None, :]
            dense = entry["flip"] & (2 * levels.sum(axis=2) > (last - first) * full)
            stored.append(np.where(dense[:, :, None], full[:, :, None] - levels, levels))
            flips.append(np.where(dense, full, 0))
        made = [crossbar(chip, levels, range(len(slices)), a, first, owner) for a, levels in enumerate(stored)]
        for chunk, (width, shift, chunk_sign) in enumerate(golden_layer.chunks_of(entry)):
            driven = (codes[:, first:last] >> shift) % 2**width
            for s, (cell_bits, slice_shift, slice_sign) in enumerate(slices):
                for a, (sign, _) in enumerate(arrays):
                    if analog and a == 1:
                        continue
                    what = s + a * 2**8 + chunk * 2**10 + block * 2**16
                    total, squares = column_sums(driven, made[a][0][:, s])
                    if analog:
                        other, other_squares = column_sums(driven, made[1][0][:, s])
                        total, squares = total - other, squares + other_squares
                    if chip.read_noise:
                        z = read_draws(read_key, outputs // 4, outputs % 4, windows, what, 0)
                        total = total + chip.read_noise * np.sqrt(squares) * z
                    if made[a][1] is not None and not analog:
                        reference, reference_squares = column_sums(driven, made[a][1][None, :])
                        if chip.read_noise:
                            z = read_draws(read_key, np.array([REFERENCE]), np.array([0]), windows, what - s, 0)
                            reference = reference + chip.read_noise * np.sqrt(reference_squares) * z
                        total = total - reference
                    # Crossbars follow one another, array by array within a block; each has an ADC of its own.
                    words = philox((block * len(arrays) + a, 0, 0, 2 * 2**28 + owner), chip.key)
                    offset = chip.adc_offset + chip.adc_offset_spread * normal(words[0])
                    gain = 1 + chip.adc_gain + chip.adc_gain_spread * normal(words[1])
                    noise = 0
                    if chip.adc_noise:
                        noise = chip.adc_noise * read_draws(read_key, outputs // 4, outputs % 4, windows, what, 1)
                    code = convert(total, gain, offset, noise, entry["adc_bits"][block][s], last - first, cell_bits,
                                   entry, analog)
                    if chip.off_state == "finite" and chip.off_current == "digital" and not analog:
                        code = code - np.rint(chip.off / chip.step * driven.sum(axis=1)).astype(np.int64)[:, None]
                    flip = flips[a][:, s][None, :]
                    value = np.where(flip > 0, flip * driven.sum(axis=1)[:, None] - code, code)
                    y += sign * slice_sign * chunk_sign * 2 ** (slice_shift + shift) * value
    if entry["weight_encoding"] == "offset":
        y -= 2 ** (entry["weight_bits"] - 1) * x.sum(axis=1)[:, None]
    y += centres[None, :] * x.sum(axis=1)[:, None]
    return y - entry["activation_zero_point"] * q.sum(axis=1)[None, :]


def convert(total, gain, offset, noise, bits, rows, width, entry, analog):
    assert bits > 0
    top = 2 ** (bits - 1) - 1 if analog else 2**bits - 1
    t = 0
    while entry["conversion"] == "truncate" and rows * (2**width - 1) * (2 ** entry["dac_bits"] - 1) > top * 2**t:
        t += 1
    code = np.clip(np.rint(total / 2**t * gain + offset + noise), -top if analog else 0, top)
    return code.astype(np.int64) * 2**t


def layer_sums(chip, x, w, entry, layer, images=None, owner=None):
    """The integer sums of a layer for all images, in the shape of its output."""
    x, w = x.astype(np.int64), w.astype(np.int64)
    owner = layer if owner is None else owner
    assert entry["group"] == 1
    if entry["op"] == "linear":
        rows = x.reshape(images or len(x), -1, x.shape[-1])
        sums = [group_sums(chip, one, w, entry, layer, i, owner) for i, one in enumerate(rows)]
        return np.concatenate(sums).reshape(*x.shape[:-1], len(w))
    results = []
    for image, one in enumerate(x):
        cut, (oh, ow) = golden_layer.windows(one[None], w.shape[2:], entry)
        sums = group_sums(chip, cut.reshape(len(cut), -1), w.reshape(len(w), -1), entry, layer, image, owner)
        results.append(sums.reshape(oh, ow, len(w)).transpose(2, 0, 1))
    return np.stack(results)
