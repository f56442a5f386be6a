# SPDX-License-Identifier: Apache-2.0
"""What WCAG 2.2 AA asks of any of the pages, found on the page as Chromium has laid it out: each function returns what fails."""

import re

from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

# Text of HTML, and of charts where it does not lie on a mark (there page.js chooses black or white: test_colours.py): colour, ground, sample.
TEXTS = """(() => {
  const opaque = (c) => !/^rgba\\(.*, 0\\)$/.test(c);
  const ground = (e) => { for (let at = e; at; at = at.parentElement) { const c = getComputedStyle(at).backgroundColor; if (opaque(c)) return c; } return 'rgb(255, 255, 255)'; };
  const found = [];
  for (const e of document.body.querySelectorAll('*')) {
    if (!e.checkVisibility({opacityProperty: true, visibilityProperty: true}) || ['SCRIPT', 'STYLE'].includes(e.tagName)) continue;
    const own = [...e.childNodes].filter((n) => n.nodeType === 3).map((n) => n.textContent.trim()).join(' ').trim();
    const style = getComputedStyle(e);
    if (e.closest('svg')) {
      if (e.tagName === 'text' && own && !/^#(000|fff)(000|fff)?$/.test(e.getAttribute('fill') || '')) found.push([style.fill, ground(e), own]);
    } else {
      if (own && !e.closest('.hidden')) found.push([style.color, ground(e), own]);
      if (e.placeholder) found.push([getComputedStyle(e, '::placeholder').color, ground(e), e.placeholder]);
    }
  }
  return found;
})()"""


def luminance(channels):
    """Relative luminance of (red, green, blue), each from 0 to 255."""
    linear = [c / 255 / 12.92 if c / 255 <= 0.04045 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    """Of two triples of channels."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def channels(colour):
    """Of 'rgb(1, 2, 3)' or 'rgba(1, 2, 3, 1)'."""
    red, green, blue, *alpha = map(float, re.findall(r"[\d.]+", colour))
    assert alpha in ([], [1.0]), colour
    return red, green, blue


def faint_texts(page):
    texts = page.js(TEXTS)
    assert len(texts) > 20
    return [(colour, ground, text[:40]) for colour, ground, text in texts if contrast(channels(colour), channels(ground)) < 4.5]


def faded(page):
    """Texts of charts that are still fading in: nothing on these pages moves by itself."""
    return page.js("[...document.querySelectorAll('svg text')].filter((t) => Number(t.getAttribute('fill-opacity') ?? 1) < 1).map((t) => t.textContent)")


def nameless(page):
    """Controls, regions and charts that a screen reader could not name."""
    return page.js("""[...document.querySelectorAll('button, select, input, a, [tabindex], [role=region], table, figure')].filter((e) => {
        const by = document.getElementById(e.getAttribute('aria-labelledby'));
        return !(e.getAttribute('aria-label') || e.textContent.trim() || e.labels?.length) || (e.hasAttribute('aria-labelledby') && !by?.textContent.trim());
      }).map((e) => e.outerHTML.slice(0, 200))""")


def skipped_headings(page):
    """Of h1, h2, h3: those more than one level below the one before; there is one h1."""
    levels = page.js("[...document.querySelectorAll('h1, h2, h3, h4')].map((h) => Number(h.tagName[1]))")
    assert levels[0] == 1 and levels.count(1) == 1 and page.js("document.documentElement.lang") == "en"
    return [at for at, (a, b) in enumerate(zip(levels, levels[1:])) if b - a > 1]


def small_targets(page):
    """Below 24 pixels (2.5.8); links within text are exempt."""
    return page.js("""[...document.querySelectorAll('button, select, input, nav a')].filter((e) => e.checkVisibility())
        .filter((e) => e.type !== 'checkbox' && e.getBoundingClientRect().height < 24).map((e) => e.outerHTML.slice(0, 200))""")


def unreached(page):
    """What can be operated, but not reached with Tab, or without an outline when it is: (not reached, without outline)."""
    operable = "'a[href], button, select, input, summary, [tabindex=\"0\"]'"
    page.js(f"(window.operable = [...document.querySelectorAll({operable})].filter((e) => e.checkVisibility() && !e.disabled), window.seen = new Set())")
    plain = []
    for _ in range(page.js("operable.length") + 2):  # all around, wherever it starts
        page.driver.switch_to.active_element.send_keys(Keys.TAB)
        at = page.js("operable.indexOf(document.activeElement)")
        if at < 0:
            continue
        page.js("seen.add(document.activeElement)")
        if page.js("getComputedStyle(document.activeElement).outlineStyle") == "none":
            plain.append(at)
    return page.js("operable.filter((e) => !seen.has(e)).map((e) => e.outerHTML.slice(0, 200))"), plain


def unsaid(page):
    """Charts whose values the arrow keys do not say one by one, first to last, in the words of the chart's table."""
    said = lambda: page.js("document.getElementById('live').textContent")
    first = lambda chart, at: str(page.js("bitline.charts.get(arguments[0]).table().rows.at(arguments[1])[0]", chart, at))
    wrong = []
    for chart in page.js("[...bitline.charts.keys()]"):
        plot = page.driver.find_element(By.ID, f"{chart}-plot")
        second = min(1, page.js("bitline.charts.get(arguments[0]).table().rows.length", chart) - 1)
        for key, row in ((Keys.ARROW_DOWN, 0), (Keys.ARROW_RIGHT, second), (Keys.END, -1), (Keys.HOME, 0)):
            plot.send_keys(key)
            if not said().startswith(first(chart, row)):
                wrong.append((chart, row, said()))
        plot.send_keys(Keys.ESCAPE)
    return wrong


def check_layout(page, path, dark, size):
    """All that depends on colours and width."""
    page.open(path, dark=dark, size=size)
    assert faded(page) == []  # first: a moment later it would be over
    assert page.js("document.documentElement.scrollWidth <= innerWidth")
    assert page.js("[...document.querySelectorAll('figure, .card, .plot svg, .plot canvas')].filter((e) => e.getBoundingClientRect().right > innerWidth + 1).length") == 0
    assert faint_texts(page) == []
    assert small_targets(page) == []
    assert (luminance(channels(page.js("getComputedStyle(document.body).backgroundColor"))) < 0.1) == dark


def check_use(page):
    """All that a person needs who has no mouse, or cannot see the page; it is open."""
    assert nameless(page) == [] and skipped_headings(page) == []
    assert unsaid(page) == []
    assert unreached(page) == ([], [])
