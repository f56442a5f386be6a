# SPDX-License-Identifier: Apache-2.0
"""What the tests of pages share: a browser, numbers read back from a page, CSV of a chart."""

import contextlib
import csv
import io
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools" / "report"))
import browser as chromium  # noqa: E402

PREFIXES = {"a": 1e-18, "f": 1e-15, "p": 1e-12, "n": 1e-9, "µ": 1e-6, "m": 1e-3, "": 1, "k": 1e3, "M": 1e6, "G": 1e9,
            "T": 1e12}


def check_silent(opened):
    """Nothing was complained about, and nothing asked of the network."""
    assert opened.messages() == []
    assert [url for url in opened.requests() if not url.startswith("file:")] == []


@contextlib.contextmanager
def browser(downloads):
    """A Chromium that is silent until it is closed."""
    with chromium.Browser(downloads) as opened:
        yield opened
        check_silent(opened)


def number(text, unit):
    """'158.8 µs', 's' -> 1.588e-4."""
    value, prefix = re.fullmatch(rf"(-?[0-9.]+) ([afpnµmkMGT]?){re.escape(unit)}", text).groups()
    return float(value) * PREFIXES[prefix]


def whole(text):
    """'16\u202f128' -> 16128."""
    return int(text.replace("\u202f", ""))


def figures(page):
    """{key of result.json: text} of the summary."""
    return dict(page.js("[...document.querySelectorAll('[data-key]')].map(e => [e.dataset.key, "
                        "e.querySelector('.value').textContent])"))


def table(page, chart):
    """The rows of a chart's CSV, as dicts."""
    return list(csv.DictReader(io.StringIO(page.js("bitline.charts.get(arguments[0]).csv()", chart))))


def choose(page, chart, name, value):
    """Selects as a person does: the control changes and says so."""
    page.js("""(() => { const s = document.querySelector(`#${arguments[0]} select[name=${arguments[1]}]`);
               s.value = arguments[2]; s.dispatchEvent(new Event('change', {bubbles: true})); })()""", chart, name, value)
    page.settle()


def close(one, other):
    return abs(one - other) <= 1e-9 * max(abs(one), abs(other)) + 1e-30


def digits4(value):
    """As a page shows a value: four significant digits."""
    return float(f"{value:.3e}")


def downloaded(page, path):
    """The text of a file once Chromium has saved it."""
    for _ in range(600):
        if path.exists() and path.stat().st_size > 0:
            return path.read_text()
        page.wait("setTimeout(() => done(1), 50)")
    raise AssertionError(f"{path} was not downloaded")
