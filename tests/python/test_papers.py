# SPDX-License-Identifier: Apache-2.0
"""compare, latex, figures and csv_tables of the package against the command line."""

import inspect
import json
import typing

import pandas
import pytest

import bitline
import cli


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    root = tmp_path_factory.mktemp("runs")
    for name, rate in (("slow", "1 GS/s"), ("fast", "2 GS/s")):
        cli.succeed("run", "--mode", "analytic", "--arch", cli.ISAAC_8BIT, "--network", cli.MLP, "--set", f"adc.rate={rate}", "--out", root / name, "--quiet")
    return root / "slow", root / "fast"


def test_compare_is_that_of_the_command_line(runs):
    tree = bitline.compare(*runs)
    assert tree == json.loads(cli.succeed("compare", *runs, "--json").out)
    assert bitline.compare(*runs, baseline=runs[1])["baseline"] == "fast"
    assert bitline.compare(runs[0], baseline=str(runs[1]))["baseline"] == "fast"
    assert [row["key"] for row in tree["config"]] == ["adc.rate"]
    with pytest.raises(bitline.UsageError, match="two runs"):
        bitline.compare(runs[0])
    with pytest.raises(bitline.UsageError, match="no/such"):
        bitline.compare(runs[0], "no/such")


def test_trees_compare_as_their_files_do(runs):
    trees = [bitline.simulate(cli.ISAAC_8BIT, cli.MLP, mode="analytic", set={"adc.rate": rate}) for rate in ("1 GS/s", "2 GS/s")]
    tree = bitline.compare(*trees, baseline=trees[1])
    assert [run["label"] for run in tree["runs"]] == ["run1", "run2"] and tree["baseline"] == "run2"
    ours = bitline.comparison_frame(tree, "figures", "ratios")
    theirs = bitline.comparison_frame(bitline.compare(*runs, baseline=runs[1]), "figures", "ratios")
    assert (ours.to_numpy() == theirs.to_numpy()).sum() > 0 and list(ours.index) == list(theirs.index)
    pandas.testing.assert_frame_equal(ours.set_axis(theirs.columns, axis=1), theirs)


def test_frames(runs):
    tree = bitline.compare(*runs)
    figures = bitline.comparison_frame(tree)
    assert list(figures.columns) == ["slow", "fast"]
    assert figures.loc["latency_image_s", "slow"] > figures.loc["latency_image_s", "fast"]
    layers = bitline.comparison_frame(tree, "layers", "energy_j")
    result = json.loads((runs[0] / "result.json").read_text())
    assert layers["slow"].sum() == pytest.approx(result["energy_j"]["total"], rel=1e-9)
    assert bitline.comparison_frame(tree, "config").loc["adc.rate", "fast"] == "2 GHz"


def test_papers(runs, tmp_path):
    pytest.importorskip("matplotlib")
    tex = bitline.latex(runs[0], tmp_path / "tex", baseline=runs[1])
    assert {path.stem for path in tex} >= {"layers", "comparison", "preamble", "example"} and all(path.stat().st_size for path in tex)
    drawn = bitline.figures(runs[0], tmp_path / "figures", baseline=runs[1])
    assert {path.suffix for path in drawn} == {".pdf", ".svg"} and "comparison" in {path.stem for path in drawn}
    tables = bitline.csv_tables(runs[0], tmp_path / "csv")
    assert {"layers", "config"} <= {path.stem for path in tables}
    assert len(pandas.read_csv(tmp_path / "csv" / "config.csv")) == len(json.loads((runs[0] / "result.json").read_text())["provenance"]["config"])
    with pytest.raises(bitline.UsageError, match="BITLINE_PYTHON"):
        bitline.figures(runs[0], tmp_path / "none", python="/no/python")


def test_the_functions_have_types_and_texts():
    for function in (bitline.compare, bitline.comparison_frame, bitline.latex, bitline.figures, bitline.csv_tables):
        hints = typing.get_type_hints(function)
        assert set(inspect.signature(function).parameters) <= set(hints) and "return" in hints and len(function.__doc__) > 40
