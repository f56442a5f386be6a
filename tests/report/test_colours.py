# SPDX-License-Identifier: Apache-2.0
"""Contrast of the pages' colours by WCAG 2.2: 4.5:1 for text (AA), 3:1 for what has to be told apart."""

import itertools
import pathlib
import re

import pytest

import wcag

CSS = (pathlib.Path(__file__).resolve().parents[2] / "tools" / "report" / "assets" / "page.css").read_text()
LIGHT, DARK = (dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6});", CSS[CSS.index(start):CSS.index(end)]))
               for start, end in ((":root, #light", "@media screen"), ("@media screen", "*, *::before")))
TEXTS, GROUNDS = ("text", "muted", "accent", "bad"), ("page", "surface")
MARKS = [name for name in LIGHT if name.startswith(("series-", "c-"))] + ["busy", "wait-input", "wait-output", "idle",
                                                                         "control", "focus"]
THEMES = {"light": LIGHT, "dark": DARK}


def channels(colour):
    """Of #rrggbb."""
    return [int(colour[i:i + 2], 16) for i in (1, 3, 5)]


def luminance(colour):
    return wcag.luminance(channels(colour))


def contrast(one, other):
    return wcag.contrast(channels(one), channels(other))


def test_the_formula_is_the_standards():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)  # the example of the standard's notes
    assert contrast("#ff0000", "#ffffff") == pytest.approx(4.0, abs=0.005)


def test_both_themes_have_all_colours():
    assert set(LIGHT) == set(DARK) and len([name for name in LIGHT if name.startswith("c-")]) == 17


@pytest.mark.parametrize("theme", THEMES)
def test_text_can_be_read(theme):
    colours = THEMES[theme]
    for text, ground in itertools.product(TEXTS, GROUNDS):
        assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)


@pytest.mark.parametrize("theme", THEMES)
def test_marks_stand_out_from_their_ground(theme):
    colours = THEMES[theme]
    for mark, ground in itertools.product(MARKS, GROUNDS):
        assert contrast(colours[mark], colours[ground]) >= 3, (mark, ground, contrast(colours[mark], colours[ground]))


@pytest.mark.parametrize("theme", THEMES)
def test_text_on_any_mark_can_be_read(theme):
    """page.js writes in black or white, whichever is easier to read, also on colours between those of the scale."""
    colours = THEMES[theme]
    scale = [colours[f"scale-{i}"] for i in range(5)]
    between = [f"#{''.join(f'{round(int(a[i:i + 2], 16) * (1 - t) + int(b[i:i + 2], 16) * t):02x}' for i in (1, 3, 5))}"
               for a, b in itertools.pairwise(scale) for t in (0, 0.25, 0.5, 0.75, 1)]
    for colour in [*(colours[mark] for mark in MARKS), *between]:
        assert max(contrast(colour, "#000000"), contrast(colour, "#ffffff")) >= 4.5, colour


@pytest.mark.parametrize("theme", THEMES)
def test_a_scale_goes_one_way(theme):
    levels = [luminance(THEMES[theme][f"scale-{i}"]) for i in range(5)]
    assert levels in (sorted(levels), sorted(levels, reverse=True))
