# SPDX-License-Identifier: Apache-2.0
"""The report of a run as text."""

from __future__ import annotations

from typing import Any

_PREFIXES = ((1.0, ""), (1e-3, "m"), (1e-6, "u"), (1e-9, "n"), (1e-12, "p"), (1e-15, "f"), (1e-18, "a"))


def si(value: float, unit: str) -> str:
    """A positive figure with four digits and an SI prefix."""
    factor, prefix = next(((f, p) for f, p in _PREFIXES if abs(value) >= f), (1.0, ""))
    return f"{value / factor:.4g} {prefix}{unit}"


def text_of(report: dict[str, Any]) -> str:
    """Markdown: the cell, accuracy and cost, and a row per slice."""
    m = report["machine"]
    lines = []
    for kind in ("normal", "reduce") if report["genotype"] else ():
        edges = " ".join(f"({operation},{source})" for operation, source in report["genotype"][kind])
        lines.append(f"{kind:18s}  {edges}")
    lines += [
        f"parameters          {report['parameters']}",
        f"MACs                {report['macs']}",
        f"accuracy, PyTorch   {100 * report['top1_pytorch']:.2f} %",
        f"accuracy, machine   {100 * m['top1']:.2f} %  ({m['images']} images)",
        f"energy per image    {si(m['energy_j'], 'J')}  (ADCs {si(m['adc_energy_j'], 'J')})",
        f"latency of an image {si(m['latency_s'], 's')}",
        f"energy x delay      {si(m['edp_js'], 'Js')}",
        f"crossbars           {m['crossbars']}",
        f"ADC conversions     {m['adc_conversions']}, {m['adc_clipped']} clipped",
        "",
        "slice  cell bits  non-zero  ADC bits, most  mean of layers",
    ]
    for place, row in enumerate(m["slices"]):
        lines.append(f"{place:5d}  {row['width']:9d}  {100 * row['nonzero_ratio']:6.2f} %  {row['adc_bits_most']:14d}"
                     f"  {row['adc_bits_mean']:14.2f}")
    return "\n".join(lines) + "\n" + ("" if report["genotype"] else "\n" + _layers(m["layers"]))


def _layers(layers: list[dict[str, Any]]) -> str:
    """The statistics of `bitline slices`, a row per layer and slice."""
    wide = max([len("layer"), *(len(layer["name"]) for layer in layers)])
    lines = [f"{'layer':{wide}s}  slice  cell bits  non-zero  max column sum  ADC needed  ADC set"]
    for layer in layers:
        for place, row in enumerate(layer["slices"]):
            lines.append(f"{layer['name'] if place == 0 else '':{wide}s}  {place:5d}  {row['width']:9d}  {100 * row['nonzero_ratio']:6.1f} %"
                         f"  {row['max_column_sum']:14d}  {row['adc_bits_needed']:10d}  {row['adc_bits']:7d}")
    return "\n".join(lines) + "\n"
