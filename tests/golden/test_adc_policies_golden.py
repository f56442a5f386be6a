# SPDX-License-Identifier: Apache-2.0
"""Resolutions by every ADC policy and granularity, computed again in NumPy from the dumped integers of a run."""

import json
import math

import numpy as np
import pytest

import cli
import golden_layer

# Calibration and input are the same few images, so that all windows of the run are those that were seen.
IMAGES = 2
DIFFERENTIAL = ["encoding.weights=differential", "encoding.flip=false", "ima.output_register.capacity=4 KiB"]
CENTRED = ["encoding.weights=centre_offset", "encoding.flip=false", "encoding.subtraction=analog",
           "ima.output_register.capacity=4 KiB"]
MACHINES = {
    "offset, flipped": [],
    "offset": ["encoding.flip=false", "ima.output_register.capacity=4 KiB"],
    "two input bits, 64 of 128 rows": ["dac.bits=2", "crossbar.active_rows=64"],
    "differential": DIFFERENTIAL,
    "subtracted": [*DIFFERENTIAL, "encoding.subtraction=analog"],
    "around centres": CENTRED,
}


def run(folder, *settings):
    np.save(folder / "x.npy", np.load(cli.TEST_X)[:IMAGES])
    sets = [f"--set={s}" for s in settings]
    out = cli.succeed("run", "--arch", cli.ISAAC_8BIT, "--network", cli.CNN, "--input", folder / "x.npy", "--batch", IMAGES,
                      "--dump-layers", folder / "dump", "--json", "--quiet", *sets).out
    entries = golden_layer.check_folder_entries(folder / "dump")
    return json.loads(out), {e["name"]: (e, *golden_layer.arrays(folder / "dump", e)) for e in entries}


def stored_columns(w, entry, first, last, width, shift):
    """[array][output, row]: the cells of a row block and slice."""
    bits = golden_layer.code_bits(entry)
    if entry["weight_encoding"] == "centre_offset":
        w = w - np.array([[golden_layer.centre_of(row, entry, bits)] for row in w])
    arrays = []
    for _, codes in golden_layer.cells_of(w, entry, bits):
        cells = (codes[:, first:last] >> shift) % 2**width
        if entry["flip"]:
            dense = 2 * cells.sum(axis=1) > (last - first) * (2**width - 1)
            cells = np.where(dense[:, None], 2**width - 1 - cells, cells)
        arrays.append(cells)
    return arrays


def samples(x, w, entry, of):
    """{(block, slice): what a percentile is taken of}, and the same for the largest possible sums."""
    w = w.reshape(len(w), -1).astype(np.int64)
    analog = golden_layer.subtracts(entry)
    if entry["op"] == "conv":
        kernel = (int(math.sqrt(w.shape[1] // x.shape[1])),) * 2
        x = golden_layer.windows(x.astype(np.int64), kernel, entry)[0].reshape(-1, w.shape[1])
    codes = np.where(x < 0, x + 2 ** entry["activation_bits"], x)
    chunks = golden_layer.chunks_of(entry)
    top = max(2**width - 1 for width, _, _ in chunks)
    seen, bounds = {}, {}
    for b, (first, last) in enumerate(entry["row_blocks"]):
        for s, (width, shift, _) in enumerate(golden_layer.slices_of(entry)):
            arrays = stored_columns(w, entry, first, last, width, shift)
            sums = [cells.sum(axis=1) * top for cells in arrays]
            bounds[b, s] = np.maximum(*sums) if analog else np.concatenate(sums)
            driven = [(codes[:, first:last] >> c_shift) % 2**c_width for c_width, c_shift, _ in chunks]
            made = [np.concatenate([d @ cells.T for d in driven]) for cells in arrays]
            seen[b, s] = np.abs(made[0] - made[1]).ravel() if analog else np.concatenate(made).ravel()
    return (seen if of == "sums" else bounds), bounds


def bits_of(values, bounds, percentile, entry):
    """Nearest rank: the smallest value with at most (100 - percentile) % beyond it, and the bits that hold it."""
    if not np.any(bounds):
        return 0
    ranked = np.sort(values)
    beyond = math.floor((100 - percentile) * len(ranked) / 100 + 1e-9)
    largest = int(ranked[len(ranked) - 1 - beyond])
    analog = golden_layer.subtracts(entry)
    return max(1, largest.bit_length()) + (1 if analog else 0)


def expected_bits(x, w, entry, percentile, of, granularity):
    values, bounds = samples(x, w, entry, of)
    unit = {"layer": lambda b, s: 0, "slice": lambda b, s: s, "crossbar": lambda b, s: (b, s)}[granularity]
    result = [[0] * len(entry["slice_widths"]) for _ in entry["row_blocks"]]
    for key in {unit(*k) for k in values}:
        members = [k for k in values if unit(*k) == key]
        bits = bits_of(np.concatenate([values[k] for k in members]), np.concatenate([bounds[k] for k in members]),
                       percentile, entry)
        for b, s in members:
            result[b][s] = bits
    return result


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("of", ["bounds", "sums"])
@pytest.mark.parametrize("granularity", ["layer", "slice", "crossbar"])
def test_percentile_resolutions(tmp_path, machine, of, granularity):
    percentile = {"bounds": 70, "sums": 99.5}[of]
    _, layers = run(tmp_path, *MACHINES[machine], "adc.resolution.policy=percentile", f"adc.resolution.percentile={percentile}",
                    f"adc.resolution.percentile_of={of}", f"adc.resolution.granularity={granularity}")
    if granularity == "layer":
        golden_layer.check_folder(tmp_path / "dump")          # the integers with these resolutions
    # The sums are those of converters that never clip.
    _, exact = run(tmp_path, *MACHINES[machine], "adc.resolution.policy=lossless")
    for name, (entry, _, w, _) in layers.items():
        assert entry["adc_bits"] == expected_bits(exact[name][1], w, entry, percentile, of, granularity), name


def test_of_the_sums_that_were_seen_no_more_clip_than_asked(tmp_path):
    """In the first layer, whose inputs are those of the calibration."""
    for percentile in (90, 99):
        result, _ = run(tmp_path, "adc.resolution.policy=percentile", "adc.resolution.percentile_of=sums",
                        f"adc.resolution.percentile={percentile}")
        first = next(layer for layer in result["layers"] if layer["name"] == "conv1")
        for part in first["slices"]:
            assert part["clipped"] <= (100 - percentile) / 100 * part["conversions"]
        assert 0 < result["adc"]["clipped"]


def test_the_whole_range_of_sums_clips_nothing(tmp_path):
    result, _ = run(tmp_path, "adc.resolution.policy=percentile", "adc.resolution.percentile_of=sums", "adc.resolution.percentile=100")
    lossless, _ = run(tmp_path, "adc.resolution.policy=lossless")
    assert result["adc"]["clipped"] == 0
    bits = [[s["adc_bits"] for layer in r["layers"] for s in layer["slices"]] for r in (result, lossless)]
    assert all(a <= b for a, b in zip(*bits)) and sum(bits[0]) < sum(bits[1])


@pytest.mark.parametrize("granularity, shared", [("crossbar", [3, 4, 5, 6]), ("slice", [3, 4, 5, 6]), ("layer", [6] * 4)])
def test_fixed_bits_of_slices_and_of_layers(tmp_path, granularity, shared):
    _, layers = run(tmp_path, "adc.resolution.policy=fixed", "adc.resolution.bits=[3, 4, 5, 6]",
                    f"adc.resolution.granularity={granularity}",
                    "adc.resolution.layers=[{layer: conv2, bits: 7}, {layer: fc, bits: [2, 2, 2, 2]}]")
    for name, (entry, *_) in layers.items():
        own = {"conv2": [7] * 4, "fc": [2] * 4}.get(name, shared)
        assert entry["adc_bits"] == [own] * len(entry["row_blocks"]), name


def test_bits_of_one_layer_beside_any_policy(tmp_path):
    for policy in ("isaac", "lossless", "percentile"):
        _, layers = run(tmp_path, f"adc.resolution.policy={policy}", "adc.resolution.layers=[{layer: conv3, bits: 4}]")
        assert all(bits == [4] * 4 for bits in layers["conv3"][0]["adc_bits"])
        assert any(bits != [4] * 4 for bits in layers["conv2"][0]["adc_bits"])


@pytest.mark.parametrize("bits, slices", [(8, 4), (6, 3), (4, 2), (2, 1)])
@pytest.mark.parametrize("placement", ["interleaved", "separate"])
def test_a_bit_plane_that_a_layer_drops_takes_its_columns_along(tmp_path, bits, slices, placement):
    """conv2: 144 rows, 16 outputs, 64 windows of 8 one-bit reads; on crossbars of 128 rows and 16 columns."""
    result, _ = run(tmp_path, f"precision.layers=[{{layer: conv2, weights: {bits}}}]", "crossbar.cols=16", "adc.resolution.policy=fixed",
                    f"slices.placement={placement}")
    conv2 = next(layer for layer in result["layers"] if layer["name"] == "conv2")
    per_crossbar = 16 // slices if placement == "interleaved" else 16
    assert conv2["crossbars"] == 2 * math.ceil(16 / per_crossbar) * (1 if placement == "interleaved" else slices)
    assert [s["conversions"] for s in conv2["slices"]] == [IMAGES * 64 * 8 * 2 * 16] * slices


def fit(bits):
    """Of adc.model isaac_fit, in um2; anchored at 8 bits."""
    return 81.727 * bits + 2.1335 * 2**bits


@pytest.mark.parametrize("placement", ["interleaved", "separate"])
def test_converters_are_built_for_the_widest_or_for_their_slice(tmp_path, placement):
    """Area of the chip's ADCs and energy of their conversions, from the model's equation."""
    bits = [5, 8, 6, 6]
    result, _ = run(tmp_path, f"slices.placement={placement}", "adc.resolution.policy=fixed", f"adc.resolution.bits={bits}",
                    "ima.output_register.capacity=4 KiB")
    built = [max(bits)] * 4 if placement == "interleaved" else bits
    adcs = 168 * 12 * 8
    one = 0.0096 / 8
    area = adcs * one * sum(fit(b) for b in built) / 4 / fit(8)
    assert result["area_mm2"]["by_component"]["adc"] == pytest.approx(area, rel=1e-9)

    def model(b):
        return 0.1955 * b + 4.12e-4 * 2**b

    made = [sum(layer["slices"][s]["conversions"] for layer in result["layers"] if layer["slices"]) for s in range(4)]
    full = 16e-3 / 8 / 1.28e9
    time = [math.ceil(b * 781250 / 8) / math.ceil(c * 781250 / 8) for b, c in zip(bits, built)]
    energy = sum(n * full * model(c) / model(8) * t for n, c, t in zip(made, built, time)) / IMAGES
    assert result["energy_j"]["by_component"]["adc"] == pytest.approx(energy, rel=1e-9)


def test_refusals():
    both = cli.refuse(cli.CONFIG, "map", "--arch", cli.ISAAC_8BIT, "--network", cli.CNN,
                      "--set", "adc.resolution.layers=[{layer: nope, bits: 3}, {layer: conv1, bits: 3}, {layer: none, bits: 2}]",
                      "--set", "precision.layers=[{layer: nil, weights: 4}]")
    assert both.count("\n") == 3 and all(f"layer '{name}'" in both for name in ("nope", "none", "nil"))
    sums = cli.refuse(cli.CONFIG, "slices", "--arch", cli.ISAAC_8BIT, "--network", cli.CNN, "--set",
                      "adc.resolution.policy=percentile", "--set", "adc.resolution.percentile_of=sums")
    assert "sums without calibration inputs" in sums and "--calibrate" in sums
    for value, part in {"[{layer: a, bits: 25}]": "'25' bits are out of range", "[{layer: a}]": "without bits",
                        "[{layer: a, bits: []}]": "a row without bits",
                        "[{bits: 3}]": "without layer", "[{layer: a, bits: 3, x: 1}]": "unknown key 'x'",
                        "[{layer: a, bits: 3}, {layer: a, bits: 4}]": "two rows for 'a'",
                        "[{layer: a, bits: [3, 4]}]": "2 numbers for 'a'", "3": "not a list"}.items():
        said = cli.refuse(cli.CONFIG, "check", cli.ISAAC_8BIT, "--set", f"adc.resolution.layers={value}")
        assert part in said and "adc.resolution.layers" in said, said


def test_slices_shows_the_resolutions_of_the_sums():
    shown = json.loads(cli.succeed("slices", "--arch", cli.ISAAC_8BIT, "--network", cli.CNN, "--calibrate", cli.CALIBRATION, "--json",
                                   "--set", "adc.resolution.policy=percentile", "--set", "adc.resolution.percentile_of=sums").out)
    sets = [s for layer in shown["layers"] for s in layer["slices"]]
    assert all(s["adc_bits"] <= s["adc_bits_needed"] for s in sets)
    assert any(s["adc_bits"] < s["adc_bits_needed"] for s in sets)
