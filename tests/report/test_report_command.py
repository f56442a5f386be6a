# SPDX-License-Identifier: Apache-2.0
"""`bitline report`: where the page goes, and what is refused with one clear error."""

import json

import pytest

import cli


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    cli.succeed("run", "--mode", "analytic", "--arch", cli.ISAAC, "--network", cli.MLP, "--out", folder)
    return folder


def test_the_page_lies_beside_the_result_or_where_one_says(run, tmp_path):
    answer = cli.succeed("report", run)
    beside = run / "report.html"
    assert answer.out.startswith(f"{beside}: ") and answer.out.endswith(" bytes\n") and answer.err == ""
    assert int(answer.out.split(": ")[1].removesuffix(" bytes\n").replace(" ", "")) == beside.stat().st_size
    cli.succeed("report", run / "result.json", "--out", tmp_path / "page.html")
    assert (tmp_path / "page.html").read_bytes() == beside.read_bytes()
    assert [p.name for p in tmp_path.iterdir()] == ["page.html"]


def faulty(tmp_path, text):
    path = tmp_path / "result.json"
    path.write_text(text)
    return path


def refused(path, tmp_path):
    """The errors; nothing is written."""
    before = sorted(p.name for p in tmp_path.iterdir())
    text = cli.refuse(cli.USAGE, "report", path, "--out", tmp_path / "page.html")
    assert sorted(p.name for p in tmp_path.iterdir()) == before
    assert all(line.startswith("bitline: error: ") for line in text.splitlines())
    return text


def test_what_is_no_result_is_refused(run, tmp_path):
    assert "nothing: does not exist" in refused("nothing", tmp_path)
    assert "has no result.json" in refused(tmp_path, tmp_path)
    assert "is no JSON" in refused(cli.CNN, tmp_path)
    assert "has no schema, so is no result" in refused(faulty(tmp_path, "{}"), tmp_path)
    whole = (run / "result.json").read_text()
    for share in (0.01, 0.5, 0.99):
        assert "result.json: is no JSON" in refused(faulty(tmp_path, whole[:int(len(whole) * share)]), tmp_path)
    other = whole.replace('"bitline.result/1"', '"bitline.result/2"')
    line = refused(faulty(tmp_path, other), tmp_path)
    assert "has the schema 'bitline.result/2'; allowed: bitline.result/1" in line


@pytest.mark.parametrize("key, change, said", [
    ("latency_s", {}, "latency_s.image: is missing"), ("layers", {}, "layers: is an object; allowed: a list"),
    ("layers", [3], "layers[0]"), ("chips", "two", 'chips: is "two"; allowed: a whole number'),
    ("accuracy", {"top1": 1, "confusion": 5}, "accuracy.confusion: is 5; allowed: a list")])
def test_a_missing_or_wrong_figure_is_named(run, tmp_path, key, change, said):
    result = json.loads((run / "result.json").read_text())
    line = refused(faulty(tmp_path, json.dumps({**result, key: change})), tmp_path)
    assert said in line and "result.json: " in line


def test_an_unwritable_place_is_refused(run, tmp_path):
    for out in (tmp_path, tmp_path / "no" / "page.html", "/proc/page.html"):
        assert str(out) in cli.refuse(cli.USAGE, "report", run, "--out", out)
    assert list(tmp_path.iterdir()) == []
    assert "run" in cli.refuse(cli.USAGE, "report")


def test_the_result_is_not_touched_and_equal_results_give_equal_pages(run, tmp_path):
    before = (run / "result.json").read_bytes()
    for name in ("a.html", "b.html"):
        cli.succeed("report", run, "--out", tmp_path / name)
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()
    assert (run / "result.json").read_bytes() == before
