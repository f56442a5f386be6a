# SPDX-License-Identifier: Apache-2.0
"""The report of the digits CNN in a headless Chromium: it loads without a word, draws every chart, its numbers are those of
result.json, and everything on it can be used with mouse, keyboard, in the dark and on a phone."""

import csv
import io
import math
import xml.etree.ElementTree as ElementTree

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

import cli
import pages
from pages import chromium

CHARTS = ["energy-layers", "energy-flow", "energy-rings", "area", "floorplan", "timeline", "utilisation", "roofline",
          "parts", "slice-map", "confusion", "class-accuracy", "network-graph"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """(folder, result) with four images streamed, through several tiles."""
    folder = tmp_path_factory.mktemp("run")
    result = cli.run_digits(folder, "--batch", 4, "--set", "tile.imas=2", "--set", "adc.resolution.policy=fixed",
                            "--set", "adc.resolution.bits=7")
    cli.succeed("report", folder)
    return folder, result


@pytest.fixture
def page(opened, run):
    opened.open(run[0] / "report.html")
    yield opened
    pages.check_silent(opened)


def element(page, selector):
    return page.driver.find_element(By.CSS_SELECTOR, selector)


def tooltip(page):
    """The text of the tooltips that can be seen."""
    return page.js("[...document.querySelectorAll('.tip')].filter(t => t.checkVisibility({opacityProperty: true, visibilityProperty: true}))"
                   ".map(t => t.textContent).join('|')")


def test_one_file_under_three_megabytes(run):
    text = (run[0] / "report.html").read_text()
    assert len(text.encode()) < 3_000_000
    assert "default-src 'none'" in text and "<link" not in text and " src=" not in text.split("<script>")[0]


def test_every_chart_is_drawn(page):
    assert page.js("[...bitline.charts.keys()]") == CHARTS
    for chart in CHARTS:
        marks = page.js("document.querySelectorAll(`#${arguments[0]}-plot svg path, #${arguments[0]}-plot svg text`).length",
                        chart)
        assert marks > 5, chart


def test_the_summary_is_the_results(page, run):
    shown, result = pages.figures(page), run[1]
    at = pages.number
    for key, unit, value in [("latency_s.image", "s", result["latency_s"]["image"]),
                             ("energy_j.total", "J", result["energy_j"]["total"]), ("power_w", "W", result["power_w"]),
                             ("tops", "OPS", result["tops"] * 1e12)]:
        assert math.isclose(at(shown[key], unit), pages.digits4(value), rel_tol=1e-12), key
    assert shown["area_mm2.total"] == f"{result['area_mm2']['total']:.4g} mm²"
    assert pages.whole(shown["throughput_ips"]) == round(result["throughput_ips"])
    assert pages.whole(shown["crossbars.used"]) == result["crossbars"]["used"]
    assert pages.whole(shown["adc.conversions"]) == result["adc"]["conversions"]
    assert pages.whole(shown["noc.bytes"].removesuffix(" B")) == result["noc"]["bytes"]
    assert shown["accuracy.top1"] == f"{result['accuracy']['top1'] * 100:.2f} %"


def test_energy_is_the_results(page, run):
    result, rows = run[1], pages.table(page, "energy-layers")
    assert [row["layer"] for row in rows] == [layer["name"] for layer in result["layers"]]
    for row, layer in zip(rows, result["layers"]):
        energy = layer["energy_j"]
        assert float(row["energy_j"]) == energy["total"]
        assert (float(row["dynamic_j"]), float(row["static_j"])) == (energy["dynamic"], energy["static"])
        for component, value in energy["by_component"].items():
            assert float(row.get(f"{component}_j", 0)) == value
    drawn = page.js("bitline.charts.get('energy-layers').instance.getOption().series.map(s => s.data)")
    assert pages.close(math.fsum(sum(series) for series in drawn), result["energy_j"]["total"])
    for chart, key, total in [("energy-flow", "energy_j", result["energy_j"]), ("area", "area_mm2", result["area_mm2"])]:
        parts = [row for row in pages.table(page, chart) if row.get("of") not in ("chip", "level")]
        values = {row.get("component", row.get("name")).replace(" ", "_"): float(row[key]) for row in parts}
        assert values == {name: value for name, value in total["by_component"].items() if value > 0}
    rings = pages.table(page, "energy-rings")
    assert pages.close(math.fsum(float(row["energy_j"]) for row in rings), result["energy_j"]["total"])


def test_the_floorplan_has_every_crossbar_and_all_the_power(page, run):
    result, rows = run[1], pages.table(page, "floorplan")
    assert len(rows) > 2  # several tiles, by the two IMAs of each
    assert sum(int(row["crossbars"]) for row in rows) == result["crossbars"]["used"]
    assert pages.close(math.fsum(float(row["power_w"]) for row in rows), result["power_w"])
    tiles = {(layer["name"], tile) for layer in result["layers"] for tile in layer["placement"]["tiles"]}
    assert tiles == {(name, int(row["tile"])) for row in rows for name in row["layers"].split()}


def test_colours_of_the_floorplan_follow_the_choice(page):
    fills = lambda: page.js("[...document.querySelectorAll('#floorplan-plot svg path')].map(p => p.getAttribute('fill')).join()")
    seen = [fills()]
    for value in ("utilisation", "power", "layer"):
        pages.choose(page, "floorplan", "colour", value)
        seen.append(fills())
    assert len(set(seen)) == 3 and seen[0] == seen[3]


def test_the_timeline_is_the_results(page, run):
    result, rows = run[1], pages.table(page, "timeline")
    for row, layer in zip(rows, result["layers"]):
        assert float(row["start_s"]) == layer["start_s"]
        assert pages.close(float(row["end_s"]), layer["start_s"] + layer["latency_s"])
        assert float(row["busy_s"]) == layer["busy_s"]
        for stall, value in layer["stalls_s"].items():
            assert float(row[f"wait_{stall}_s"]) == value
    # What is coloured adds up to the waits, as far as 35 steps of a bin can say.
    bin_s = result["waits_bin_s"]
    for layer in result["layers"]:
        for kind in ("input", "output"):
            digits = [int(c, 36) for c in layer["waits"][kind]]
            assert abs(sum(digits) / 35 * bin_s - layer["stalls_s"][kind]) <= (len(digits) + 1) / 70 * bin_s
    colours = page.js("['busy', 'wait-input', 'wait-output'].map(k => bitline.theme()[k])")
    for colour in colours:
        assert page.js("document.querySelectorAll(`#timeline-plot svg path[fill='${arguments[0]}']`).length", colour) > 0


def test_utilisation_and_roofline_follow_from_the_result(page, run):
    result = run[1]
    end = max(layer["start_s"] + layer["latency_s"] for layer in result["layers"])
    for row, layer in zip(pages.table(page, "utilisation"), result["layers"]):
        assert pages.close(float(row["busy"]), layer["busy_s"] / end)
        assert pages.close(float(row["wait_input"]), layer["stalls_s"]["input"] / end)
    pages.choose(page, "utilisation", "of", "cells")
    cells = {row["layer"]: float(row["cell_utilization"]) for row in pages.table(page, "utilisation")}
    assert cells == {layer["name"]: layer["cell_utilization"] for layer in result["layers"] if layer["crossbars"] > 0}
    machine, layers = result["machine"], {layer["name"]: layer for layer in result["layers"]}
    rows = pages.table(page, "roofline")
    assert [row["layer"] for row in rows] == [n for n, layer in layers.items() if layer["crossbars"] > 0]
    for row in rows:
        layer = layers[row["layer"]]
        assert pages.close(float(row["op_per_byte"]), 2 * layer["macs"] / layer["bus_bytes"])
        attained = 2 * layer["macs"] * 4 / layer["latency_s"] / layer["tiles"]
        assert pages.close(float(row["ops_per_tile"]), attained)
        # No layer passes what its crossbars, or the bus of its tiles, could do.
        assert attained <= float(row["own_limit_ops"]) <= 2 * machine["tile_macs_per_s"]
        assert attained <= float(row["op_per_byte"]) * machine["tile_bytes_per_s"]


def test_slices_parts_and_accuracy_are_the_results(page, run):
    result = run[1]
    slices = [(layer["name"], at, s) for layer in result["layers"] for at, s in enumerate(layer["slices"])]
    rows = pages.table(page, "slice-map")
    assert len(rows) == len(slices) > 0
    for row, (name, at, s) in zip(rows, slices):
        assert (row["layer"], int(row["slice"]), float(row["nonzero_ratio"])) == (name, at, s["nonzero_ratio"])
        assert [int(row[k]) for k in ("max_column_sum", "adc_bits", "conversions", "clipped")] == [
            s[k] for k in ("max_column_sum", "adc_bits", "conversions", "clipped")]
    for show in ("bits", "clipped", "largest", "nonzero"):
        pages.choose(page, "slice-map", "show", show)
        assert page.js("document.querySelectorAll('#slice-map-plot svg text').length") > len(slices)
    parts = {row["part"].replace(" ", "_"): float(row["utilization"]) for row in pages.table(page, "parts")}
    assert parts == {part["name"]: part["utilization"] for part in result["parts"] if part["used"] > 0}
    confusion = {(int(r["label"]), int(r["predicted"])): int(r["images"]) for r in pages.table(page, "confusion")}
    matrix = result["accuracy"]["confusion"]
    assert confusion == {(i, j): n for i, row in enumerate(matrix) for j, n in enumerate(row) if n > 0}
    for row in pages.table(page, "class-accuracy"):
        label = int(row["class"])
        assert pages.close(float(row["accuracy"]), matrix[label][label] / sum(matrix[label]))


def test_the_network_and_its_mapping_are_the_results(page, run):
    layers = run[1]["layers"]
    rows = pages.table(page, "network-graph")
    assert [row["layer"] for row in rows] == [layer["name"] for layer in layers]
    for row, layer in zip(rows, layers):
        assert row["inputs"] == "; ".join(layers[i]["name"] for i in layer["inputs"])
        assert row["operators"] == ("; ".join(layer["operators"]) or layer["op"])
        assert int(row["crossbars"]) == layer["crossbars"] and int(row["macs"]) == layer["macs"]
        assert [int(t) for t in row["tiles"].split()] == layer["placement"]["tiles"]
    assert {tuple(layers[i]["name"] for i in layers[n]["inputs"]) for n in range(len(layers)) if len(layers[n]["inputs"]) > 1} == {
        ("conv3", "conv1"), ("conv4", "conv5")}  # the residual path and the two branches of the CNN
    names = page.js("[...document.querySelectorAll('#network-graph-plot svg text')].map(t => t.textContent)")
    assert set(names) == {layer["name"] for layer in layers}


def test_every_constant_has_its_source_and_can_be_found(page, run):
    config = run[1]["provenance"]["config"]
    rows = lambda: page.js("[...document.querySelectorAll('#config tbody tr')].map(r => [...r.children].map(c => c.textContent))")
    shown = {key: (value, source) for key, value, source in rows()}
    assert set(shown) == set(config)
    for key, constant in config.items():
        assert shown[key][0] == constant["value"]
        assert shown[key][1] == constant["source"] or key in ("tile.imas", "adc.resolution.policy", "adc.resolution.bits")
    assert shown["tile.imas"] == ("2", "--set tile.imas=2")
    element(page, "#config-filter").send_keys("adc.resolution.bi")
    assert [row[0] for row in rows()] == ["adc.resolution.bits"]
    assert element(page, "#config-count").text == f"1 of {len(config)}"
    origin = element(page, "#provenance").text
    assert run[1]["provenance"]["network_sha256"] in origin and run[1]["provenance"]["config_sha256"] in origin


def test_values_are_shown_on_hover(page, run):
    plot = element(page, "#energy-layers-plot")
    page.js("arguments[0].scrollIntoView({block: 'center'})", plot)
    x, y = page.js("(c => c.convertToPixel({xAxisIndex: 0, yAxisIndex: 0}, [0, 2]))(bitline.charts.get('energy-layers').instance)")
    box = plot.rect
    ActionChains(page.driver).move_to_element_with_offset(plot, int(x + 10 - box["width"] / 2), int(y - box["height"] / 2)).perform()
    page.settle()
    text, layer = tooltip(page), run[1]["layers"][2]
    assert layer["name"] in text and "adc" in text
    shown = text.split("total")[1].split(" J")[0].split(",")[0]
    assert math.isclose(pages.number(shown, "J"), pages.digits4(layer["energy_j"]["total"]), rel_tol=1e-12)


def row(page, chart, at):
    """The first cell of a row of a chart's table, as text."""
    return str(page.js("bitline.charts.get(arguments[0]).table().rows.at(arguments[1])[0]", chart, at))


def test_the_keyboard_reaches_every_value(page):
    said = lambda: page.js("document.getElementById('live').textContent")
    for chart in CHARTS:
        plot = element(page, f"#{chart}-plot")
        assert plot.get_attribute("tabindex") == "0", chart
        assert plot.get_attribute("aria-label").startswith(element(page, f"#{chart}-title").text), chart
        plot.send_keys(Keys.ARROW_DOWN)
        assert said().startswith(row(page, chart, 0)) and tooltip(page) != "", chart
        plot.send_keys(Keys.ARROW_DOWN, Keys.ARROW_UP, Keys.ARROW_RIGHT)
        assert said().startswith(row(page, chart, 1)), chart
        plot.send_keys(Keys.END)
        assert said().startswith(row(page, chart, -1)), chart
        plot.send_keys(Keys.ESCAPE)
        page.wait("setTimeout(() => done(1), 200)")  # it goes after a moment
        assert tooltip(page) == "", chart


def test_every_control_has_a_name_and_a_place_in_the_order(page):
    nameless = page.js("""[...document.querySelectorAll('button, select, input, a, [tabindex]')].filter(e =>
        !(e.getAttribute('aria-label') || e.textContent.trim() || e.labels?.length)).map(e => e.outerHTML)""")
    assert nameless == []
    assert page.js("document.documentElement.lang") == "en" and page.js("document.querySelectorAll('h1').length") == 1
    levels = page.js("[...document.querySelectorAll('h1, h2, h3')].map(h => Number(h.tagName[1]))")
    assert all(b - a <= 1 for a, b in zip(levels, levels[1:]))
    body = element(page, "body")
    body.send_keys(Keys.TAB)
    assert page.js("document.activeElement.className") == "skip"
    assert page.js("getComputedStyle(document.activeElement).outlineStyle") != "none"


def test_a_table_stands_for_every_chart(page):
    for chart in CHARTS:
        element(page, f"#{chart} summary").click()
        page.wait("setTimeout(() => done(1), 20)")
        cells = page.js("[...document.querySelectorAll(`#${arguments[0]} details tbody tr`)].map(r => r.children.length)", chart)
        table = page.js("bitline.charts.get(arguments[0]).table()", chart)
        assert len(cells) == len(table["rows"]) and set(cells) == {len(table["columns"])}, chart


def test_buttons_save_csv_and_vector_drawings(page, downloads):
    for chart in ("energy-layers", "roofline"):
        for button in page.driver.find_elements(By.CSS_SELECTOR, f"#{chart} button"):
            button.click()
        text = pages.downloaded(page, downloads / f"digits-cnn-{chart}.csv")
        assert list(csv.DictReader(io.StringIO(text))) == pages.table(page, chart)
        pages.downloaded(page, downloads / f"digits-cnn-{chart}.svg")


def test_every_chart_is_a_vector_drawing(page):
    for chart in CHARTS:
        tree = ElementTree.fromstring(page.js("bitline.charts.get(arguments[0]).svg()", chart))
        tags = [node.tag.split("}")[1] for node in tree.iter()]
        assert tags[0] == "svg" and "image" not in tags and tags.count("path") + tags.count("rect") > 3, chart
        assert tags.count("text") > 0, chart


def test_the_dark_has_its_own_colours(page):
    ground = lambda: page.js("getComputedStyle(document.body).backgroundColor")
    light, bars = ground(), page.js("bitline.charts.get('timeline').instance.getOption().series[0].type")
    exported = page.js("bitline.charts.get('utilisation').svg()")
    page.media(dark=True)
    page.settle()
    assert ground() != light == "rgb(244, 245, 247)" and bars == "custom"
    assert page.js("bitline.charts.get('utilisation').instance.getOption().series[0].itemStyle.color") == page.js(
        "getComputedStyle(document.documentElement).getPropertyValue('--busy').trim()")
    assert page.js("bitline.charts.get('utilisation').svg()") == exported  # paper is white


def test_a_phone_needs_no_sideways_scrolling(opened, run):
    opened.open(run[0] / "report.html", size=chromium.PHONE)
    assert opened.js("document.documentElement.scrollWidth") <= chromium.PHONE["width"]
    wide = opened.js("[...document.querySelectorAll('figure, .card, .plot svg')].filter(e => e.getBoundingClientRect().right > innerWidth + 1).length")
    assert wide == 0
    small = opened.js("[...document.querySelectorAll('button, select, nav a')].filter(e => e.getBoundingClientRect().height < 24).length")
    assert small == 0  # targets of at least 24 pixels (WCAG 2.2, 2.5.8)
    opened.size(**chromium.DESKTOP)
    opened.settle()
    assert opened.js("bitline.charts.get('timeline').plot.clientWidth") > 1000


def test_print_shows_light_charts(page):
    page.media(dark=True)
    page.js("window.dispatchEvent(new Event('beforeprint'))")
    light = page.js("bitline.theme(true).busy")
    assert page.js("bitline.charts.get('utilisation').instance.getOption().series[0].itemStyle.color") == light
    page.js("window.dispatchEvent(new Event('afterprint'))")
    assert page.js("bitline.charts.get('utilisation').instance.getOption().series[0].itemStyle.color") != light
