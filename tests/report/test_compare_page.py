# SPDX-License-Identifier: Apache-2.0
"""The page of `bitline compare --html` in a headless Chromium: every chart is drawn, its numbers are those of the results, and it can be used."""

import csv
import io
import math
import xml.etree.ElementTree as ElementTree

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By

import cli
import pages

NAMES = ["8-bit", "5-bit", "mlp"]
CHARTS = ["ratios", "components-bars", "layers-bars"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """(page, {name: result}): one network with two resolutions, and a smaller network; the second is the baseline."""
    root = tmp_path_factory.mktemp("runs")
    results = {"8-bit": cli.run_digits(root / "8-bit", "--batch", 2, arch=cli.ISAAC_8BIT),
               "5-bit": cli.run_digits(root / "5-bit", "--set", "adc.resolution.policy=fixed", "--set", "adc.resolution.bits=5", arch=cli.ISAAC_8BIT),
               "mlp": cli.run_digits(root / "mlp", arch=cli.ISAAC_8BIT, network=cli.MLP, labels=None)}
    cli.succeed("compare", *(root / name for name in NAMES), "--baseline", root / "5-bit", "--html", root / "compare.html")
    return root / "compare.html", results


@pytest.fixture
def page(opened, made):
    opened.open(made[0])
    yield opened
    pages.check_silent(opened)


def cells(page, section):
    """Texts of the table of a section, that is outside of charts."""
    return page.js("""[...document.querySelectorAll(`#${arguments[0]} .scroll.card tbody tr`)].map((r) => [...r.children].map((c) => c.textContent))""", section)


FIGURES = {  # name on the page: (from a result, as text)
    "accuracy, top-1": (lambda r: r["accuracy"]["top1"] if "accuracy" in r else None, "share"),
    "latency of an image": (lambda r: r["latency_s"]["image"], "s"), "interval": (lambda r: r["latency_s"]["interval"], "s"),
    "energy per image": (lambda r: r["energy_j"]["total"], "J"), "dynamic": (lambda r: r["energy_j"]["dynamic"], "J"),
    "mean power": (lambda r: r["power_w"], "W"), "crossbars": (lambda r: r["crossbars"]["used"], "count"),
    "performance": (lambda r: r["tops"] * 1e12, "OPS")}


def test_one_file_that_asks_for_nothing_and_draws_every_chart(page, made):
    text = made[0].read_text()
    assert len(text.encode()) < 3_000_000 and "default-src 'none'" in text
    assert page.js("[...bitline.charts.keys()]") == CHARTS
    for chart in CHARTS:
        assert page.js("document.querySelectorAll(`#${arguments[0]}-plot svg path`).length", chart) > 10, chart
    body = page.js("document.body.innerText")
    assert "undefined" not in body and "NaN" not in body
    assert page.js("document.querySelector('h1').textContent") == "Comparison with 5-bit"


def test_figures_and_ratios_are_the_results(page, made):
    results, base = made[1], made[1]["5-bit"]
    rows = {row[0]: row[1:] for row in cells(page, "figures")}
    for name, (value, unit) in FIGURES.items():
        first, *rest = rows[name]
        shown = [(first, base, None), *((rest[2 * i], results[other], rest[2 * i + 1]) for i, other in enumerate(("8-bit", "mlp")))]
        for text, result, ratio in shown:
            expected = value(result)
            if expected is None:
                assert text == "–", name
            elif unit == "share":
                assert text == f"{expected * 100:.2f} %", name
                assert ratio is None or ratio == f"{(expected - value(base)) * 100:+.2f} points", name
            else:
                found = pages.whole(text) if unit == "count" else pages.number(text, unit)
                assert math.isclose(found, expected if unit == "count" else pages.digits4(expected), rel_tol=1e-12), name
                assert ratio is None or ratio == f"{float(f'{expected / value(base):.4g}'):.12g}×", name
    for row in pages.table(page, "ratios"):
        if row["figure"] in FIGURES:
            value = FIGURES[row["figure"]][0]
            for other in ("8-bit", "mlp"):
                assert pages.close(float(row[other]), value(results[other]) / value(base)), row
    drawn = page.js("bitline.charts.get('ratios').instance.getOption().series.map((s) => s.data)")
    assert drawn == [[float(row[other]) if row[other] else None for row in pages.table(page, "ratios")] for other in ("8-bit", "mlp")]


def test_components_and_layers_are_the_results(page, made):
    results = made[1]
    shown = {row["name"]: row for row in pages.table(page, "components-bars")}
    for name, result in results.items():
        used = {component: energy for component, energy in result["energy_j"]["by_component"].items() if energy > 0}
        assert {component: float(row[name]) for component, row in shown.items() if row[name] and float(row[name]) > 0} == used
    layers = {row["name"]: row for row in pages.table(page, "layers-bars")}
    for name, result in results.items():
        own = {layer["name"]: layer["energy_j"]["total"] for layer in result["layers"]}
        assert {layer: float(row[name]) for layer, row in layers.items() if row[name]} == own
    assert layers["conv1"]["mlp"] == "" and layers["fc1"]["8-bit"] == ""


def test_what_is_shown_follows_the_choice(page, made):
    results, base = made[1], made[1]["5-bit"]["energy_j"]["total"]
    for chart in ("components-bars", "layers-bars"):
        pages.choose(page, chart, "what", "energy_change")
        rows = pages.table(page, chart)
        assert list(rows[0]) == ["name", "8-bit", "mlp"]  # of the baseline there is no change
        for name in ("8-bit", "mlp"):
            assert math.isclose(math.fsum(float(row[name]) for row in rows), results[name]["energy_j"]["total"] / base - 1, rel_tol=1e-9)
        drawn = page.js("bitline.charts.get(arguments[0]).instance.getOption().series.map((s) => s.data)", chart)
        assert drawn == [[float(row[name]) for row in rows] for name in ("8-bit", "mlp")]
    pages.choose(page, "components-bars", "what", "area_mm2")
    area = {row["name"]: row for row in pages.table(page, "components-bars")}
    for name, result in results.items():
        large = {n: mm2 for n, mm2 in result["area_mm2"]["by_component"].items() if mm2 > 0}
        assert {n: float(row[name]) for n, row in area.items() if row[name] and float(row[name]) > 0} == large
    pages.choose(page, "layers-bars", "what", "latency_s")
    latency = {row["name"]: row for row in pages.table(page, "layers-bars")}
    assert {layer["name"]: layer["latency_s"] for layer in results["mlp"]["layers"]} == {
        n: float(row["mlp"]) for n, row in latency.items() if row["mlp"]}


def test_what_changed_is_listed(page, made):
    rows = {row[0]: row[1:] for row in cells(page, "changes")}
    assert rows["adc.resolution.bits"] == ["[8]", "[5]", "[8]"] and rows["adc.resolution.policy"] == ["isaac", "fixed", "isaac"]
    assert rows["network"][2].endswith("digits-mlp.onnx")
    runs = cells(page, "runs")
    assert [row[0] for row in runs] == ["8-bit", "5-bit (baseline)", "mlp"]
    assert all(cell.endswith("isaac-8bit.yaml") for cell in (row[2] for row in runs))


def test_values_are_shown_on_hover(page, made):
    plot = page.driver.find_element(By.ID, "components-bars-plot")
    page.js("arguments[0].scrollIntoView({block: 'start'})", plot)
    x, y = page.js("((c) => c.convertToPixel({xAxisIndex: 0, yAxisIndex: 0}, [0, 0]))(bitline.charts.get('components-bars').instance)")
    box = plot.rect
    ActionChains(page.driver).move_to_element_with_offset(plot, int(x + 8 - box["width"] / 2), int(y - box["height"] / 2)).perform()
    page.settle()
    texts = page.js("[...document.querySelectorAll('.tip')].filter((t) => t.checkVisibility({opacityProperty: true, visibilityProperty: true}))"
                    ".map((t) => [...t.querySelectorAll('td')].map((c) => c.textContent))")
    name = page.js("bitline.data.components[0].name")
    assert len(texts) == 1
    for run, text in zip(texts[0][::2], texts[0][1::2]):
        assert math.isclose(pages.number(text, "J"), pages.digits4(made[1][run]["energy_j"]["by_component"][name]), rel_tol=1e-12)


def test_every_chart_is_a_vector_drawing_and_its_data_a_csv(page, downloads):
    for chart in CHARTS:
        tags = [node.tag.split("}")[1] for node in ElementTree.fromstring(page.js("bitline.charts.get(arguments[0]).svg()", chart)).iter()]
        assert tags[0] == "svg" and "image" not in tags and tags.count("path") > 10 and tags.count("text") > 5, chart
    page.driver.find_element(By.CSS_SELECTOR, "#ratios button[aria-label^=CSV]").click()
    text = pages.downloaded(page, downloads / "comparison-ratios.csv")
    assert list(csv.DictReader(io.StringIO(text))) == pages.table(page, "ratios")


def test_names_are_never_html(opened, made, tmp_path):
    evil = tmp_path / "<img src=x onerror='document.title=1'>"
    for name in ("8-bit", "5-bit"):
        folder = evil if name == "8-bit" else tmp_path / name
        folder.mkdir()
        (folder / "result.json").write_bytes((made[0].parent / name / "result.json").read_bytes())
    cli.succeed("compare", evil, tmp_path / "5-bit", "--html", tmp_path / "c.html")
    opened.open(tmp_path / "c.html")
    opened.js("bitline.charts.forEach((c) => c.instance.dispatchAction({type: 'showTip', seriesIndex: 0, dataIndex: 0}))")
    opened.settle()
    assert opened.js("document.querySelectorAll('img').length") == 0 and opened.js("document.title") != "1"
    assert evil.name in opened.js("document.body.textContent")
