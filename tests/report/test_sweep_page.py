# SPDX-License-Identifier: Apache-2.0
"""The page of a sweep in a headless Chromium: what it shows is results.csv, and it can be used with mouse and keyboard."""

import csv

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

import cli
import pages

SWEEP = f"""arch: {cli.ISAAC_8BIT}
network: {cli.MLP}
mode: analytic
set: {{crossbar.active_rows: 64}}
axes:
  crossbar.rows: [32, 64, 128, 256]
  crossbar.read_latency: {{from: 50 ns, to: 100 ns, steps: 9}}
  adc.kind: [sar, flash]
objectives: [energy_j, latency_s]
"""


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """(folder, rows of results.csv)"""
    folder = tmp_path_factory.mktemp("sweep")
    (folder / "s.yaml").write_text(SWEEP)
    cli.succeed("sweep", folder / "s.yaml", "--out", folder / "out", "--reports", "front")
    with open(folder / "out" / "results.csv", newline="") as file:
        return folder / "out", list(csv.DictReader(file))


@pytest.fixture
def page(opened, rows):
    opened.open(rows[0] / "index.html")
    yield opened
    pages.check_silent(opened)


def good(rows):
    return [r for r in rows if r["error_kind"] == ""]


def shown(page):
    """Cells of the table's rows."""
    return page.js("[...document.querySelectorAll('#table tbody tr')].map(r => [...r.children].map(c => c.textContent))")


def fill(page, name, text):
    box = page.driver.find_element(By.NAME, name)
    box.clear()
    box.send_keys(text)
    page.settle()


def test_every_point_is_drawn_and_its_numbers_are_those_of_the_table(page, rows):
    drawn = {r["point"]: r for r in pages.table(page, "scatter")}
    expected = good(rows[1])
    assert set(drawn) == {r["point"] for r in expected} and 0 < len(expected) < len(rows[1])
    for row in expected:
        assert float(drawn[row["point"]]["energy_j"]) == float(row["energy_j"])
        assert float(drawn[row["point"]]["latency_s"]) == float(row["latency_s"])
        assert drawn[row["point"]]["front"] == ("on it" if row["front"] == "1" else "dominated")
    assert page.js("document.querySelector('#scatter canvas') !== null")
    failed = {r["point"] for r in rows[1]} - set(drawn)
    assert set(page.js("[...document.querySelectorAll('#failed tbody th')].map(c => c.textContent)")) == failed


def test_axes_and_colours_can_be_chosen(page, rows):
    pages.choose(page, "scatter", "x", "area_mm2")
    drawn = pages.table(page, "scatter")
    expected = {r["point"]: float(r["area_mm2"]) for r in good(rows[1])}
    assert {r["point"]: float(r["area_mm2"]) for r in drawn} == expected
    for colour in ("adc.kind", "power_w", "crossbar.read_latency_s", ""):
        pages.choose(page, "scatter", "colour", colour)
        assert len(pages.table(page, "scatter")) == len(expected)
    names = page.js("(bitline.charts.get('scatter').choose('colour', 'adc.kind'), bitline.sweep.drawn().map(l => l.name))")
    assert names == ["sar", "flash", "Pareto front"]


def test_filters_leave_what_they_say(page, rows):
    fill(page, "crossbar.rows-low", "128")
    page.driver.find_element(By.CSS_SELECTOR, "select[name='adc.kind']").send_keys("flash")
    page.settle()
    expected = {r["point"] for r in good(rows[1]) if float(r["crossbar.rows"]) >= 128 and r["adc.kind"] == "flash"}
    assert expected and {r["point"] for r in pages.table(page, "scatter")} == expected
    assert {cells[0] for cells in shown(page)} == expected
    assert f"{len(expected)} of {len(rows[1])} points" in page.js("document.querySelector('#filters [role=status]').textContent")
    fill(page, "energy_j-high", "0")
    assert shown(page) == []
    page.driver.find_element(By.XPATH, "//button[text()='Clear all']").click()
    page.settle()
    assert len(pages.table(page, "scatter")) == len(good(rows[1]))


def test_headings_sort_with_the_keyboard_and_pages_turn(page, rows):
    heading = "#table thead [data-column='area_mm2']"
    page.js("document.getElementById('all-figures').click()")
    for press, down in ((1, False), (2, True)):
        page.driver.find_element(By.CSS_SELECTOR, heading).send_keys(Keys.ENTER)
        expected = sorted((float(r["area_mm2"]) for r in good(rows[1])), reverse=down)
        by_point = {r["point"]: float(r["area_mm2"]) for r in good(rows[1])}
        assert [by_point[cells[0]] for cells in shown(page)] == expected[:50]
        assert page.js("document.activeElement.dataset.column") == "area_mm2"
        assert page.js(f"document.querySelector(\"{heading}\").parentElement.getAttribute('aria-sort')") == ("descending" if down else "ascending")
    page.driver.find_element(By.ID, "next").send_keys(Keys.ENTER)
    assert [by_point[cells[0]] for cells in shown(page)] == expected[50:100]


def test_points_open_their_reports(page, rows):
    front = [r for r in good(rows[1]) if r["front"] == "1"]
    plot = page.driver.find_element(By.ID, "scatter-plot")
    plot.send_keys(Keys.HOME)
    plot.send_keys(Keys.ENTER)
    page.settle()
    title = page.js("document.querySelector('#chosen h3').textContent")
    assert title == f"Point {front[0]['point']}, on the Pareto front"
    link = page.driver.find_element(By.CSS_SELECTOR, "#chosen a")
    assert (rows[0] / f"points/{front[0]['point']}/report.html").is_file()
    link.click()
    page.settle()
    assert page.driver.current_url.endswith(f"points/{front[0]['point']}/report.html")
    assert page.js("document.querySelector('h1') !== null && bitline.data !== undefined")


def test_dominated_points_say_how_their_report_is_made(page, rows):
    dominated = next(r for r in good(rows[1]) if r["front"] == "0")
    page.js("bitline.sweep.choose(bitline.data.points.indexOf(arguments[0]))", dominated["point"])
    assert "--reports all" in page.js("document.querySelector('#chosen p').textContent")


@pytest.mark.parametrize("size", [pages.chromium.PHONE, pages.chromium.DESKTOP])
@pytest.mark.parametrize("dark", [False, True])
def test_it_fits_the_screen(opened, rows, size, dark):
    opened.open(rows[0] / "index.html", dark=dark, size=size)
    assert opened.js("document.documentElement.scrollWidth <= innerWidth")
    assert (rows[0] / "index.html").stat().st_size < 3_000_000
