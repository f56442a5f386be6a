# SPDX-License-Identifier: Apache-2.0
"""Every kind of result gives a page that loads without a word: no values, no labels, several chips, phases, chips that are not
ideal, an older version, thousands of layers, names that look like HTML."""

import json
import math

import pytest

import cli
import pages


@pytest.fixture(scope="module")
def lenet(tmp_path_factory):
    path = tmp_path_factory.mktemp("network") / "lenet5.onnx"
    cli.succeed("workload", "make", "lenet5", "-o", path)
    return path


def show(browser, folder):
    """Opens the report of a folder; (charts, result)."""
    cli.succeed("report", folder)
    assert (folder / "report.html").stat().st_size < 3_000_000
    browser.open(folder / "report.html")
    assert browser.messages() == [] and [u for u in browser.requests() if not u.startswith("file:")] == []
    assert browser.js("document.documentElement.scrollWidth <= innerWidth")
    assert browser.js("[...bitline.charts.values()].every(c => c.plot.dataset.drawn && c.plot.querySelector('svg, canvas'))")
    assert "undefined" not in browser.js("document.body.innerText") and "NaN" not in browser.js("document.body.innerText")
    return browser.js("[...bitline.charts.keys()]"), json.loads((folder / "result.json").read_text())


def test_an_estimate_without_values(opened, tmp_path):
    cli.succeed("run", "--mode", "analytic", "--arch", cli.ISAAC, "--network", cli.CNN, "--out", tmp_path)
    charts, result = show(opened, tmp_path)
    assert {"confusion", "class-accuracy", "chips"}.isdisjoint(charts) and {"timeline", "slice-map", "floorplan"} <= set(charts)
    assert "accuracy.top1" not in pages.figures(opened)
    error = result["estimate"]["expected_error"]["latency"]
    assert pages.figures(opened)["estimate.expected_error.latency"] == f"{error * 100:.1f} % latency"
    assert opened.js("bitline.charts.get('timeline').figure.innerText").count("mode analytic does not know when") == 1


def test_several_chips(opened, lenet, tmp_path):
    cli.succeed("run", "--arch", cli.ISAAC_8BIT, "--network", lenet, "--out", tmp_path, "--set", "chip.tiles=2",
                "--set", "chip.mesh_width=2", "--set", "tile.imas=1", "--set", "mapping.oversize=more_chips")
    charts, result = show(opened, tmp_path)
    assert result["chips"] > 1 and "floorplan" in charts
    rows = pages.table(opened, "floorplan")
    assert {int(row["chip"]) for row in rows} == set(range(result["chips"])) and all(int(row["tile"]) < 2 for row in rows)
    assert sum(int(row["crossbars"]) for row in rows) == result["crossbars"]["used"]
    assert pages.close(math.fsum(float(row["power_w"]) for row in rows), result["power_w"])
    tiles = opened.js("bitline.charts.get('floorplan').instance.getOption().series[0].data")
    assert len({tuple(place) for place in tiles}) == 2 * result["chips"]  # none lies on another


def test_phases(opened, lenet, tmp_path):
    cli.succeed("run", "--arch", cli.ISAAC_8BIT, "--network", lenet, "--out", tmp_path, "--set", "chip.tiles=2", "--set", "tile.imas=1",
                "--set", "mapping.oversize=reprogram")
    _, result = show(opened, tmp_path)
    assert pages.whole(pages.figures(opened)["reprogramming.phases"]) == result["reprogramming"]["phases"] > 1


def test_chips_that_are_not_ideal(opened, tmp_path):
    result = cli.run_digits(tmp_path, "--trials", 3, "--set", "device.variation.model=normal", arch=cli.ISAAC_8BIT,
                            network=cli.MLP)
    charts, _ = show(opened, tmp_path)
    assert "chips" in charts and "confusion" in charts
    rows = pages.table(opened, "chips")
    assert [(int(row["seed"]), float(row["top1"])) for row in rows] == [(c["seed"], c["top1"]) for c in result["device"]["chips"]]


def test_a_machine_that_states_neither_power_nor_area(opened, tmp_path):
    machine = tmp_path / "free.yaml"
    machine.write_text("precision: {weights: {bits: 8}, activations: {bits: 8}}\nima: {output_register: {capacity: 1 KiB}}\n")
    cli.succeed("run", "--arch", machine, "--network", cli.MLP, "--out", tmp_path)
    charts, result = show(opened, tmp_path)
    assert result["tops_per_w"] is None and {"energy-layers", "area"}.isdisjoint(charts) and "timeline" in charts
    assert "The machine states no power" in opened.js("document.getElementById('energy').innerText")


def test_a_result_of_an_older_version(opened, tmp_path):
    result = cli.run_digits(tmp_path)
    for key in ("machine", "waits_bin_s"):
        del result[key]
    for layer in result["layers"]:
        for key in ("operators", "inputs", "macs", "bus_bytes", "placement", "waits"):
            del layer[key]
    (tmp_path / "result.json").write_text(json.dumps(result))
    charts, _ = show(opened, tmp_path)
    assert {"floorplan", "network-graph", "roofline"}.isdisjoint(charts) and {"timeline", "energy-layers"} <= set(charts)


def test_thousands_of_layers_and_tiles(opened, tmp_path):
    result = cli.run_digits(tmp_path)
    conv = next(layer for layer in result["layers"] if layer["name"] == "conv2")
    result["layers"] = [{**conv, "name": f"block{i // 10}/conv{i % 10}", "inputs": [i - 1] if i > 0 else [],
                         "placement": {"tiles": [i, i + 1], "crossbars": [1, 1], "imas": [1, 1]}} for i in range(2000)]
    result["machine"]["tiles"] = 3000
    (tmp_path / "result.json").write_text(json.dumps(result))
    charts, _ = show(opened, tmp_path)
    assert len(charts) > 10 and len(pages.table(opened, "energy-layers")) == 2000
    assert opened.js("document.querySelector('#timeline-plot').clientHeight") <= 900
    assert len(pages.table(opened, "floorplan")) == 2001


def test_names_are_never_html(opened, tmp_path):
    result = cli.run_digits(tmp_path)
    evil = "<img src=x onerror='document.title=1'></script>"
    for layer in result["layers"]:
        layer["name"] = evil
    result["provenance"].update(network=evil + ".onnx", overrides=[evil], arch=evil)
    result["provenance"]["config"]["device.seed"]["source"] = evil
    (tmp_path / "result.json").write_text(json.dumps(result))
    show(opened, tmp_path)
    opened.js("(c => { for (const one of c) { const m = one.spec.at ? one.spec.at(0, one.choice) : {seriesIndex: 0, dataIndex: 0};"
              " if (m) one.instance.dispatchAction({type: 'showTip', ...m}); } })(bitline.charts.values())")
    opened.settle()
    assert opened.js("document.querySelectorAll('img').length") == 0 and "script>" in opened.js("document.title")
    assert evil in opened.js("[...document.querySelectorAll('.tip')].map(t => t.textContent).join('')")
