# SPDX-License-Identifier: Apache-2.0
"""The committed table and figure of accuracy against ADC bits are what the program gives today."""

import csv

import adc_bits


def test_the_committed_table_and_figure_hold():
    rows = adc_bits.measure()
    with open(adc_bits.HERE / "adc-bits.csv", newline="") as file:
        header, *committed = csv.reader(file)
    assert tuple(header) == adc_bits.COLUMNS and len(committed) == len(rows) == 18
    for row, (network, bits, *figures) in zip(rows, committed):
        assert (network, int(bits)) == row[:2]
        # Scales come from a float32 library that may round otherwise on another processor: one image of 360.
        assert all(abs(a - float(b)) <= 1 / 360 + 1e-9 for a, b in zip(row[2:], figures)), row
    typed = [(n, int(b), *map(float, rest)) for n, b, *rest in committed]
    assert (adc_bits.HERE / "adc-bits.svg").read_text() == adc_bits.figure(typed)


def test_accuracy_is_lost_where_conversions_clip():
    """Without a clipped conversion the accuracy is that of the widest converter; one bit knows nothing."""
    with open(adc_bits.HERE / "adc-bits.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    for network in adc_bits.NETWORKS:
        of = [r for r in rows if r["network"] == network]
        assert all(r["top1"] == of[-1]["top1"] for r in of if float(r["clipped_share"]) == 0)
        assert float(of[0]["top1"]) < 0.2 and float(of[0]["clipped_share"]) > 0.5
