# SPDX-License-Identifier: Apache-2.0
"""`bitline report --latex --figures --csv`: tables that TeX sets without an overfull box, figures at column width, CSV, refusals."""

import csv
import itertools
import json
import math
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree

import pytest

import cli

pytest.importorskip("matplotlib")
PDFLATEX = shutil.which("pdflatex")
# What names may hold: separators, no separators, what TeX and matplotlib take for commands, wide letters, other scripts.
NAMES = ["/layer1/layer1.0/very_long_block_name/conv1/Conv_output_quantised", "averyverylongnamewithoutanyseparator" * 3,
         "a&b%c$d#e_f{g}h~i^j\\k<l>m|n\"o'p`q--r", "schön/größe", "層/カーネル/🙂", "x" * 90, "MODEL/" + "W" * 40, "$\\input{/etc/passwd}$",
         "%"]
FIGURES = ["accuracy", "adc-bits", "area", "confusion", "energy-components", "energy-layers", "timeline"]
AGAINST = ["comparison", "comparison-components"]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A run, another to compare it with, and one with names that do their worst."""
    root = tmp_path_factory.mktemp("runs")
    result = cli.run_digits(root / "run", arch=cli.ISAAC_8BIT)
    cli.run_digits(root / "base", "--set", "adc.resolution.policy=fixed", "--set", "adc.resolution.bits=7", arch=cli.ISAAC_8BIT)
    for layer, name in zip(result["layers"], NAMES):
        layer["name"], layer["op"] = name, "global_average_pool_something"
    result["provenance"]["network"] = "/a/" + NAMES[0].replace("/", "_") + ".onnx"
    (root / "wild & %_name$").mkdir()
    (root / "wild & %_name$" / "result.json").write_text(json.dumps(result))
    return root


def report(*arguments, **options):
    return cli.succeed("report", *arguments, **options)


def set_by_tex(folder):
    """The log of LaTeX on example.tex, run twice in a copy without other files."""
    done = subprocess.run([PDFLATEX, "-interaction=nonstopmode", "-halt-on-error", "example.tex"], cwd=folder, capture_output=True,
                          text=True, errors="replace", timeout=120, check=False)
    log = (folder / "example.log").read_text(errors="replace")
    assert done.returncode == 0, log[-2000:]
    return log


@pytest.mark.skipif(PDFLATEX is None, reason="no TeX installation")
@pytest.mark.parametrize("run, base", [("run", "base"), ("wild & %_name$", "run"), ("base", None)])
def test_tex_sets_the_tables_in_two_columns(runs, tmp_path, run, base):
    report(runs / run, "--latex", tmp_path, *(["--baseline", runs / base] if base else []))
    tables = {"summary", "components", "layers"} | ({"comparison", "comparison-components", "comparison-layers"} if base else set())
    assert {p.stem for p in tmp_path.glob("*.tex")} == tables | {"preamble", "example"}
    log = set_by_tex(tmp_path)
    assert "Overfull" not in log and "too large" not in log and "Missing character" not in log and "Undefined" not in log
    assert "wild" in run or not re.search(r"\d+pk>", log)  # no font as a bitmap, unless a name's letter asks for it
    assert re.search(r"Output written on example.pdf \((\d+) pages", log)


@pytest.mark.skipif(PDFLATEX is None, reason="no TeX installation")
def test_the_test_would_see_an_overfull_box(runs, tmp_path):
    report(runs / "run", "--latex", tmp_path)
    layers = (tmp_path / "layers.tex").read_text()
    (tmp_path / "layers.tex").write_text(layers.replace("conv1 ", r"\mbox{a name that is much too long for a column} ", 1))
    assert "Overfull" in set_by_tex(tmp_path)


def test_the_tables_hold_the_figures(runs, tmp_path):
    result = json.loads((runs / "run" / "result.json").read_text())
    report(runs / "run", "--latex", tmp_path)
    rows = [line.split(" & ") for line in (tmp_path / "layers.tex").read_text().splitlines() if " & " in line and line.endswith("\\\\")]
    for layer in result["layers"]:
        row = next(r for r in rows if r[0].replace("\\allowbreak{}", "").strip() == layer["name"])
        share = float(row[-1].replace("\\\\", ""))
        assert share == pytest.approx(100 * layer["energy_j"]["total"] / result["energy_j"]["total"], abs=0.051)
    components = (tmp_path / "components.tex").read_text()
    adc = re.search(r"adc & (\S+) & (\S+) & (\S+) & (\S+) ", components)
    assert float(adc[1]) == pytest.approx(result["energy_j"]["by_component"]["adc"] * 1e9, abs=0.051)
    assert float(adc[3]) == pytest.approx(result["area_mm2"]["by_component"]["adc"], abs=0.0051)


def test_figures_are_vector_drawings_of_column_width(runs, tmp_path):
    report(runs / "run", "--figures", tmp_path, "--baseline", runs / "base")
    names = FIGURES + AGAINST
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(f"{n}.{kind}" for n in names for kind in ("pdf", "svg"))
    for name in names:
        pdf = (tmp_path / f"{name}.pdf").read_bytes()
        box = re.search(rb"/MediaBox \[ 0 0 (\S+) (\S+) \]", pdf)
        assert float(box[1]) == pytest.approx(3.5 * 72, abs=0.01) and float(box[2]) < 9.5 * 72
        assert b"/FontFile2" in pdf and b"/Type3" not in pdf and b"CreationDate" not in pdf, name
        svg = xml.etree.ElementTree.parse(tmp_path / f"{name}.svg").getroot()
        assert svg.attrib["width"] == "252pt"
    report(runs / "run", "--figures", tmp_path / "wide", "--wide")
    assert b"/MediaBox [ 0 0 515.52" in (tmp_path / "wide" / "timeline.pdf").read_bytes()


def test_figures_have_equal_bytes_whoever_draws_them(runs, tmp_path):
    (tmp_path / "matplotlib.py").write_text("raise SystemExit('this is not matplotlib')\n")
    (tmp_path / "matplotlibrc").write_text("font.size: 30\n")
    report(runs / "base", "--figures", tmp_path / "a")
    report(runs / "base", "--figures", tmp_path / "b", cwd=tmp_path)
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes(), file.name


def test_figures_of_wild_names(runs, tmp_path):
    report(runs / "wild & %_name$", "--figures", tmp_path, "--baseline", runs / "run")
    assert len(list(tmp_path.glob("*.pdf"))) == len(FIGURES + AGAINST)


def test_figures_only_of_what_a_result_has(runs, tmp_path):
    cli.succeed("run", "--mode", "analytic", "--arch", cli.ISAAC_8BIT, "--network", cli.MLP, "--out", tmp_path / "run", "--quiet")
    report(tmp_path / "run", "--figures", tmp_path / "f")
    assert {p.stem for p in (tmp_path / "f").iterdir()} == set(FIGURES) - {"accuracy", "confusion"}


def test_csv_of_everything(runs, tmp_path):
    result = json.loads((runs / "run" / "result.json").read_text())
    report(runs / "run", "--csv", tmp_path)

    def rows(name):
        with open(tmp_path / f"{name}.csv", newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))
    assert {p.stem for p in tmp_path.iterdir()} == {"layers", "components", "slices", "config", "parts", "confusion"}
    for name in ("layers", "components"):
        assert (tmp_path / f"{name}.csv").read_bytes() == (runs / "run" / f"{name}.csv").read_bytes()
    slices = [(layer["name"], s) for layer in result["layers"] for s in layer["slices"]]
    assert [(r["layer"], float(r["nonzero_ratio"]), int(r["clipped"])) for r in rows("slices")] == [
        (name, s["nonzero_ratio"], s["clipped"]) for name, s in slices]
    assert {r["key"]: (r["value"], r["source"]) for r in rows("config")} == {
        key: (c["value"], c["source"]) for key, c in result["provenance"]["config"].items()}
    assert sum(int(r["images"]) for r in rows("confusion")) == 360
    assert [(r["part"], float(r["stalled_s"])) for r in rows("parts")] == [(p["name"], p["stalled_s"]) for p in result["parts"]]


def fake_python(path, text):
    path.write_text(text)
    path.chmod(0o755)
    return path


def test_no_python_and_no_matplotlib_say_what_to_install(runs, tmp_path):
    def refused(**env):
        return cli.refuse(cli.USAGE, "report", runs / "run", "--figures", tmp_path / "f", env=env)
    assert "'/no/python' is not a program" in refused(BITLINE_PYTHON="/no/python")
    bare = fake_python(tmp_path / "bare", f"#!/bin/sh\nexec {sys.executable} -S -E \"$@\"\n")
    message = refused(BITLINE_PYTHON=str(bare))
    assert "has no matplotlib" in message and "python3-matplotlib" in message and "BITLINE_PYTHON" in message
    broken = fake_python(tmp_path / "broken", "#!/bin/sh\necho it broke >&2\nexit 1\n")
    answer = cli.bitline("report", runs / "run", "--figures", tmp_path / "f", env={"BITLINE_PYTHON": str(broken)})
    assert answer.code == cli.SIMULATION and "it broke" in answer.err and answer.out == ""
    assert not any((tmp_path / "f").iterdir())


def test_refusals(runs, tmp_path):
    (tmp_path / "file").write_text("")
    for option in ("--latex", "--figures", "--csv"):
        assert option in cli.refuse(cli.USAGE, "report", runs / "run", option, tmp_path / "file")
        assert "none" in cli.refuse(cli.USAGE, "report", runs / "none", option, tmp_path / "out")
    assert "--baseline" in cli.refuse(cli.USAGE, "report", runs / "run", "--csv", tmp_path / "c", "--baseline", runs / "base")
    assert "--wide" in cli.refuse(cli.USAGE, "report", runs / "run", "--csv", tmp_path / "c", "--wide")
    if os.geteuid() != 0:
        (tmp_path / "locked").mkdir(mode=0o500)
        cli.refuse(cli.USAGE, "report", runs / "run", "--figures", tmp_path / "locked")


def test_the_figure_of_the_readme_is_what_its_command_draws(tmp_path):
    committed = (cli.ROOT / "tools" / "paper" / "example-energy-layers.svg").read_bytes()
    subprocess.run([cli.ROOT / "tools" / "paper" / "make-example", tmp_path], check=True, env={**os.environ, "BITLINE": str(cli.BITLINE)})
    drawn = (tmp_path / "example-energy-layers.svg").read_bytes()
    versions = [re.search(rb"Matplotlib v[\d.]+", svg)[0] for svg in (committed, drawn)]
    assert drawn.startswith(b"<?xml") and b"example-energy-layers.svg" in (cli.ROOT / "README.md").read_bytes()
    if versions[0] == versions[1]:
        assert drawn == committed, "draw it again with tools/paper/make-example"


def test_what_was_written_as_json(runs, tmp_path):
    tree = json.loads(report(runs / "run", "--latex", tmp_path / "t", "--csv", tmp_path / "c", "--json").out)
    assert tree == {"latex": {"folder": str(tmp_path / "t"), "count": 3}, "csv": {"folder": str(tmp_path / "c"), "count": 6}}
    assert not (runs / "run" / "report.html").exists(), "only what was asked for"
    both = json.loads(report(runs / "run", "--out", tmp_path / "p.html", "--csv", tmp_path / "c", "--json").out)
    assert both["file"] == str(tmp_path / "p.html") and both["csv"]["count"] == 6


# Viénot, Brettel and Mollon 1999 for protanopia and deuteranopia, on linear RGB; tritanopia by Brettel's plane, as one matrix.
DICHROMATS = {"normal": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
              "protan": [[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]],
              "deutan": [[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]],
              "tritan": [[1, 0.14461, -0.14461], [0, 0.85924, 0.14076], [0, 0.85924, 0.14076]]}


def lab(colour, eye):
    """CIE L*a*b* (D65) of #rrggbb as an eye sees it."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5))]
    rgb = [min(1, max(0, sum(a * b for a, b in zip(row, linear)))) for row in DICHROMATS[eye]]
    xyz = [sum(a * b for a, b in zip(row, rgb)) / white for row, white in zip(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]], [0.9505, 1, 1.089])]
    x, y, z = (t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in xyz)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def nearest(colours):
    """(distance, eye, colours) of the two that are hardest to tell apart, whoever looks."""
    return min((math.dist(lab(a, eye), lab(b, eye)), eye, a, b) for eye in DICHROMATS for a, b in itertools.combinations(sorted(colours), 2))


def test_colour_blind_readers_tell_the_colours_apart(runs, tmp_path):
    assert nearest(["#d62728", "#2ca02c"])[:2] == (pytest.approx(8.2, abs=0.1), "deutan")  # matplotlib's own red and green
    assert nearest(["#cc79a7", "#999999"])[0] < 10
    report(runs / "run", "--figures", tmp_path, "--baseline", runs / "base")
    for name in ("energy-layers", "timeline", "comparison-components"):
        # Marks have no line around them; text, axes and ground are black and white.
        fills = set(re.findall(r'style="fill: (#[0-9a-f]{6})"', (tmp_path / f"{name}.svg").read_text())) - {"#ffffff", "#000000"}
        assert len(fills) >= 2 and nearest(fills)[0] > 10, (name, nearest(fills))  # Okabe and Ito's nearest two: 10.3
