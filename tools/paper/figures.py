# SPDX-License-Identifier: Apache-2.0
"""Figures of a run for a paper: PDF and SVG at column width, vector, fonts embedded, colours that colour-blind readers tell apart.

    python3 figures.py --run out/result.json [--baseline base/result.json] --out figures [--wide]

Run by `bitline report --figures`, which carries this file inside; it needs matplotlib and nothing else. Equal results give equal
bytes with one version of matplotlib. Exit codes: 0 done, 3 no matplotlib, 2 a place that cannot be written.
"""

import sys

if sys.path and sys.path[0] == "":  # run by -c: nothing is taken from the working directory
    del sys.path[0]

import argparse
import json
import math
import os
import pathlib

try:
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot
except ImportError as error:
    print(error, file=sys.stderr)
    sys.exit(3)

COLUMN, WIDE = 3.5, 7.16  # inches: one and two columns
# Okabe and Ito's palette, without black.
PALETTE = ["#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7", "#F0E442"]
OTHER = "#555555"  # a lighter grey is reddish purple for deuteranopes
PREFIXES = ["f", "p", "n", "µ", "m", "", "k", "M", "G", "T"]
STYLE = {
    "font.family": "DejaVu Sans", "font.size": 7, "axes.labelsize": 7, "axes.titlesize": 7, "xtick.labelsize": 6.5,
    "ytick.labelsize": 6.5, "legend.fontsize": 6, "axes.linewidth": 0.6, "xtick.major.width": 0.6, "ytick.major.width": 0.6,
    "axes.spines.top": False, "axes.spines.right": False, "legend.frameon": False, "legend.handlelength": 1.0,
    "legend.handleheight": 0.8, "hatch.linewidth": 0.4, "pdf.fonttype": 42, "svg.fonttype": "path", "svg.hashsalt": "bitline",
    "axes.unicode_minus": True, "figure.constrained_layout.use": True,
    "figure.constrained_layout.h_pad": 0.06, "figure.constrained_layout.w_pad": 0.06,
}


def short(name, width=20):
    """A name that fits beside an axis: cut in the middle; never taken for mathematics."""
    if len(name) > width:
        head = (width - 1) // 2
        name = name[:head] + "…" + name[len(name) - (width - 1 - head):]
    return "".join(c if c.isprintable() else "?" for c in name).replace("$", r"\$")


def scale(largest):
    """(divisor, SI prefix) for an axis whose largest value this is."""
    if not largest > 0:
        return 1.0, ""
    step = min(max(math.floor(math.log10(largest) / 3 + 1e-9), -5), 4)
    return 1000.0 ** step, PREFIXES[step + 5]


def ranked(parts, most):
    """The largest parts as [(name, value)], the rest as "other"."""
    rows = sorted(((name, value) for name, value in parts.items() if value > 0), key=lambda row: (-row[1], row[0]))
    if len(rows) > most:
        rows = [*rows[:most - 1], ("other", sum(value for _, value in rows[most - 1:]))]
    return rows


def colours(names):
    """A colour for each, in order; "other" is grey."""
    kept = [name for name in names if name != "other"]
    return {"other": OTHER, **{name: PALETTE[i] if i < len(PALETTE) else OTHER for i, name in enumerate(kept)}}


def rows_figure(width, rows, least=1.0, extra=0.55, row=0.135):
    """A figure for horizontal bars, as high as its rows need."""
    return pyplot.subplots(figsize=(width, max(least, extra + row * rows)))


def named_rows(axes, names, width=20):
    """One row per name, the first on top. Of more than fit a page, some of the names."""
    every = max(1, math.ceil(len(names) / 64))
    axes.set_yticks(range(0, len(names), every), [short(name, width) for name in names[::every]])
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)


def shares_figure(parts, label, unit, width):
    """Horizontal bars of parts with their shares."""
    rows = ranked(parts, 12)
    if not rows:
        return None
    total = sum(value for _, value in rows)
    by, prefix = scale(rows[0][1]) if unit == "J" else (1.0, "")
    figure, axes = rows_figure(width, len(rows))
    values = [value / by for _, value in rows]
    axes.barh(range(len(rows)), values, height=0.72, color=[OTHER if name == "other" else PALETTE[0] for name, _ in rows])
    for at, value in enumerate(values):
        axes.annotate(f"{100 * value * by / total:.1f} %", (value, at), xytext=(2, 0), textcoords="offset points", va="center",
                      fontsize=6)
    named_rows(axes, [name for name, _ in rows])
    axes.set_xlim(0, max(values) * 1.16)
    axes.set_xlabel(f"{label} ({prefix}{unit})")
    return figure


def layer_height(count):
    """Inches of a row where so many layers share a figure."""
    return 0.135 if count <= 48 else max(0.03, 6.5 / count)


def legend_above(figure, axes, columns, lines):
    """A legend over the axes, in room of its own."""
    figure.legend(*axes.get_legend_handles_labels(), loc="upper center", ncol=columns, columnspacing=1.0, borderaxespad=0.2)
    figure.get_layout_engine().set(rect=(0, 0, 1, 1 - (0.12 * lines + 0.06) / figure.get_figheight()))


def energy_layers(run, width):
    """Energy of each layer, stacked by component."""
    layers = run["layers"]
    kinds = [name for name, _ in ranked(run["energy_j"]["by_component"], len(PALETTE) + 1)]
    if not kinds:
        return None
    colour = colours(kinds)
    by, prefix = scale(max(layer["energy_j"]["total"] for layer in layers))
    figure, axes = rows_figure(width, len(layers), extra=0.95, row=layer_height(len(layers)))
    left = [0.0] * len(layers)
    for kind in kinds:
        parts = [sum(v for name, v in layer["energy_j"]["by_component"].items() if name == kind or (kind == "other" and name not in kinds))
                 / by for layer in layers]
        axes.barh(range(len(layers)), parts, left=left, height=0.8, color=colour[kind], label=short(kind), linewidth=0)
        left = [a + b for a, b in zip(left, parts)]
    named_rows(axes, [layer["name"] for layer in layers])
    axes.set_xlabel(f"energy per image ({prefix}J)")
    columns = 3 if width < 5 else 6
    legend_above(figure, axes, columns, math.ceil(len(kinds) / columns))
    return figure


def timeline(run, width):
    """When each layer was at work; the shares of busy and waiting time inside each bar."""
    layers = run["layers"]
    by, prefix = scale(max(layer["start_s"] + layer["latency_s"] for layer in layers))
    figure, axes = rows_figure(width, len(layers), extra=0.8, row=layer_height(len(layers)))
    kinds = [("at work", PALETTE[0]), ("waits for input", PALETTE[1]), ("waits for room", PALETTE[3]), ("idle between", "#DDDDDD")]
    left = [layer["start_s"] / by for layer in layers]
    spans = {name: [] for name, _ in kinds}
    for layer in layers:
        whole = layer["latency_s"]
        waits_in = min(layer["stalls_s"]["input"], whole)
        waits_out = min(layer["stalls_s"]["output"], whole - waits_in)
        busy = min(layer["busy_s"], whole - waits_in - waits_out)
        for (name, _), span in zip(kinds, (busy, waits_in, waits_out, whole - waits_in - waits_out - busy)):
            spans[name].append(max(span, 0.0) / by)
    for name, colour in kinds:
        axes.barh(range(len(layers)), spans[name], left=left, height=0.8, color=colour, label=name, linewidth=0)
        left = [a + b for a, b in zip(left, spans[name])]
    named_rows(axes, [layer["name"] for layer in layers])
    axes.set_xlim(0, None)
    axes.set_xlabel(f"time ({prefix}s)")
    legend_above(figure, axes, 4, 1)
    return figure


def adc_bits(run, width):
    """ADC bits of every slice of every crossbar layer, on the share of cells that are not zero."""
    layers = [layer for layer in run["layers"] if layer["slices"]]
    if not layers:
        return None
    slices = max(len(layer["slices"]) for layer in layers)
    grid = [[math.nan if s >= len(layer["slices"]) or layer["slices"][s]["nonzero_ratio"] is None
             else 100 * layer["slices"][s]["nonzero_ratio"] for s in range(slices)] for layer in layers]
    known = [value for row in grid for value in row if not math.isnan(value)]
    figure, axes = rows_figure(width, len(layers), extra=0.75, row=max(layer_height(len(layers)), 0.05))
    axes.set_facecolor("#EEEEEE")
    if known:
        image = axes.imshow(grid, aspect="auto", cmap="cividis", vmin=0, vmax=max(known), interpolation="nearest")
        figure.colorbar(image, ax=axes, label="cells not zero (%)", pad=0.02, aspect=25)
    if len(layers) <= 64:
        for at, layer in enumerate(layers):
            for s, part in enumerate(layer["slices"]):
                dark = not math.isnan(grid[at][s]) and grid[at][s] < 0.55 * max(known)
                axes.text(s, at, str(part["adc_bits"]), ha="center", va="center", fontsize=6 if len(layers) <= 48 else 5,
                          color="white" if dark else "black")
    named_rows(axes, [layer["name"] for layer in layers])
    axes.set_ylim(len(layers) - 0.5, -0.5)
    axes.set_xlim(-0.5, slices - 0.5)
    axes.set_xticks(range(slices))
    axes.set_xlabel("slice (0: most significant); numbers: ADC bits")
    return figure


def bars_of(run):
    """{figure: value} of what a comparison shows."""
    energy, latency = run["energy_j"]["total"], run["latency_s"]
    values = {"latency": latency["image"], "interval": latency["interval"], "energy": energy, "energy × latency": energy * latency["image"],
              "power": run["power_w"], "area": run["area_mm2"]["total"], "OPS/W": run["tops_per_w"], "OPS/mm²": run["tops_per_mm2"]}
    return {name: value for name, value in values.items() if value}


def comparison(run, base, width):
    """Ratios of a run to its baseline."""
    new, old = bars_of(run), bars_of(base)
    names = [name for name in new if name in old]
    ratios = [new[name] / old[name] for name in names]
    figure, axes = rows_figure(width, len(names))
    axes.barh(range(len(names)), [r - 1 for r in ratios], left=1, height=0.72,
              color=[PALETTE[1] if name.startswith("OPS") else PALETTE[0] for name in names])
    high, low = max([1.0, *ratios]), min([1.0, *ratios])
    if high / low > 8:
        axes.set_xscale("log")
        axes.set_xlim(low / 3, high * 3)
    else:
        room = 0.25 * max(high - low, 0.05)
        axes.set_xlim(low - room, high + room)
    for at, ratio in enumerate(ratios):
        left = ratio < 1
        axes.annotate(f"{ratio:.3g}×", (ratio, at), xytext=(-2 if left else 2, 0), textcoords="offset points", va="center",
                      ha="right" if left else "left", fontsize=6)
    axes.spines["left"].set_visible(False)
    axes.axvline(1, color="black", linewidth=0.6)
    named_rows(axes, names)
    axes.set_xlabel("ratio to the baseline")
    return figure


def comparison_components(run, base, width):
    """Energy by component of a run beside its baseline."""
    ours, theirs = run["energy_j"]["by_component"], base["energy_j"]["by_component"]
    names = [name for name, _ in ranked({name: max(ours.get(name, 0), theirs.get(name, 0)) for name in {**theirs, **ours}}, 100)][:10]
    if not names:
        return None
    by, prefix = scale(max(max(ours.get(name, 0), theirs.get(name, 0)) for name in names))
    figure, axes = rows_figure(width, len(names), extra=0.8, row=0.2)
    for offset, parts, colour, label in ((-0.2, theirs, OTHER, "baseline"), (0.2, ours, PALETTE[0], "this run")):
        axes.barh([at + offset for at in range(len(names))], [parts.get(name, 0) / by for name in names], height=0.38, color=colour, label=label)
    named_rows(axes, names)
    axes.set_xlabel(f"energy per image ({prefix}J)")
    legend_above(figure, axes, 2, 1)
    return figure


def accuracy(run, width):
    """Top-1 of float32, the chip and, with device effects, the ideal chip and the mean of the chips."""
    if "accuracy" not in run:
        return None
    a, device = run["accuracy"], run.get("device", {})
    rows = [("float32", a["float_top1"], None), ("chip, top-1", a["top1"], None), ("chip, top-5", a["top5"], None)]
    if "top1" in device:
        interval = device["top1"]["ci95"]
        half = (interval[1] - interval[0]) / 2 if interval else None
        rows = [rows[0], ("ideal cells", device["ideal_top1"], None), (f"{len(device['chips'])} chips", device["top1"]["mean"], half)]
    figure, axes = rows_figure(width, len(rows), row=0.2)
    axes.barh(range(len(rows)), [100 * value for _, value, _ in rows], height=0.62, color=[OTHER, PALETTE[0], PALETTE[4]][:len(rows)],
              xerr=[100 * (half or 0) for _, _, half in rows] if any(half for *_, half in rows) else None, error_kw={"linewidth": 0.8})
    for at, (_, value, half) in enumerate(rows):
        text = f"{100 * value:.2f}" + (f" ± {100 * half:.2f}" if half else "") + " %"
        axes.annotate(text, (0, at), xytext=(4, 0), textcoords="offset points", va="center", fontsize=6, color="white",
                      bbox={"boxstyle": "square,pad=0.15", "facecolor": "#222222", "linewidth": 0})
    named_rows(axes, [name for name, *_ in rows])
    axes.set_xlim(0, 100)
    axes.set_xlabel(f"accuracy (%), {a['images']} images")
    return figure


def confusion(run, width):
    """Images by label and predicted class, in percent of the label's."""
    matrix = run.get("accuracy", {}).get("confusion")
    if not matrix:
        return None
    grid = [[100 * n / max(sum(row), 1) for n in row] for row in matrix]
    figure, axes = pyplot.subplots(figsize=(min(width, COLUMN), 0.86 * min(width, COLUMN)))
    image = axes.imshow(grid, cmap="cividis", vmin=0, vmax=100, interpolation="nearest")
    figure.colorbar(image, ax=axes, label="images of a label (%)", pad=0.02, aspect=25)
    if len(grid) <= 12:
        for at, row in enumerate(grid):
            for s, value in enumerate(row):
                if value:
                    axes.text(s, at, f"{value:.0f}", ha="center", va="center", fontsize=5, color="black" if value > 55 else "white")
        axes.set_xticks(range(len(grid)))
        axes.set_yticks(range(len(grid)))
    axes.set_xlabel("predicted class")
    axes.set_ylabel("label")
    return figure


def all_figures(run, base, width):
    """[(name, maker)] of the figures that these results have data for."""
    makers = [("energy-components", lambda: shares_figure(run["energy_j"]["by_component"], "energy per image", "J", width)),
              ("energy-layers", lambda: energy_layers(run, width)),
              ("area", lambda: shares_figure(run["area_mm2"]["by_component"], "area", "mm²", width)),
              ("timeline", lambda: timeline(run, width)), ("adc-bits", lambda: adc_bits(run, width)),
              ("accuracy", lambda: accuracy(run, width)), ("confusion", lambda: confusion(run, width))]
    if base is not None:
        makers += [("comparison", lambda: comparison(run, base, width)),
                   ("comparison-components", lambda: comparison_components(run, base, width))]
    return makers


def save(figure, folder, name):
    """PDF and SVG without dates, each under a temporary name first."""
    for kind, metadata in (("pdf", {"CreationDate": None}), ("svg", {"Date": None})):
        temporary = folder / f".{name}.{os.getpid()}.{kind}"
        try:
            figure.savefig(temporary, format=kind, metadata=metadata)
            os.replace(temporary, folder / f"{name}.{kind}")
        finally:
            temporary.unlink(missing_ok=True)
    pyplot.close(figure)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--run", required=True, help="result.json")
    parser.add_argument("--baseline", help="result.json that it is compared with")
    parser.add_argument("--out", required=True, help="folder, which is there")
    parser.add_argument("--wide", action="store_true", help="two columns wide")
    options = parser.parse_args(arguments)
    run = json.loads(pathlib.Path(options.run).read_text(encoding="utf-8"))
    base = json.loads(pathlib.Path(options.baseline).read_text(encoding="utf-8")) if options.baseline else None
    width = WIDE if options.wide else COLUMN
    with matplotlib.rc_context({**matplotlib.rcParamsDefault, **STYLE, "backend": "Agg"}):
        for name, make in all_figures(run, base, width):
            figure = make()
            if figure is not None:
                try:
                    save(figure, pathlib.Path(options.out), name)
                except OSError as failure:
                    print(f"{failure.filename}: {failure.strerror}", file=sys.stderr)
                    return 2
                print(name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
