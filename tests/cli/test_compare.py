# SPDX-License-Identifier: Apache-2.0
"""`bitline compare`: its numbers against the result.json files, its output, its refusals."""

import csv
import json

import jsonschema
import pytest

import cli

SCHEMA = jsonschema.Draft202012Validator(json.loads((cli.ROOT / "tools" / "compare" / "compare.schema.json").read_text()))


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """{name: (folder, result)} of one network on two machines, and of another network."""
    root = tmp_path_factory.mktemp("runs")
    made = {"8-bit": cli.run_digits(root / "8-bit", arch=cli.ISAAC_8BIT),
            "5-bit": cli.run_digits(root / "5-bit", "--set", "adc.resolution.policy=fixed", "--set", "adc.resolution.bits=5",
                                    arch=cli.ISAAC_8BIT),
            "mlp": cli.run_digits(root / "mlp", arch=cli.ISAAC_8BIT, network=cli.MLP)}
    return {name: (root / name, result) for name, result in made.items()}


def tree(*arguments):
    return json.loads(cli.succeed("compare", *arguments, "--json").out)


def values(comparison, key):
    return next(row for row in comparison["figures"] if row["key"] == key)


def test_figures_are_those_of_the_results(runs):
    (a, old), (b, new) = runs["8-bit"], runs["5-bit"]
    c = tree(a, b)
    assert c["schema"] == "bitline.compare/1" and c["baseline"] == "8-bit" and [r["label"] for r in c["runs"]] == ["8-bit", "5-bit"]
    for key, of in {"latency_image_s": lambda r: r["latency_s"]["image"], "latency_interval_s": lambda r: r["latency_s"]["interval"],
                    "throughput_ips": lambda r: r["throughput_ips"], "energy_j": lambda r: r["energy_j"]["total"],
                    "edp_js": lambda r: r["energy_j"]["total"] * r["latency_s"]["image"], "power_w": lambda r: r["power_w"],
                    "area_mm2": lambda r: r["area_mm2"]["total"], "ops_per_w": lambda r: r["tops_per_w"] * 1e12,
                    "top1": lambda r: r["accuracy"]["top1"], "crossbars": lambda r: r["crossbars"]["used"],
                    "conversions": lambda r: r["adc"]["conversions"],
                    "clipped_share": lambda r: r["adc"]["clipped"] / r["adc"]["conversions"]}.items():
        row = values(c, key)
        assert row["values"] == pytest.approx([of(old), of(new)], rel=1e-12), key
        assert row["ratios"][1] == (pytest.approx(of(new) / of(old), rel=1e-12) if of(old) else None), key
    assert values(c, "energy_j")["ratios"][1] < 1 and values(c, "energy_j")["better"] == "lower"


def test_what_changed_and_where_the_energy_went(runs):
    (a, old), (b, new) = runs["8-bit"], runs["5-bit"]
    c = tree(a, b)
    assert {row["key"]: row["values"] for row in c["config"]} == {"adc.resolution.policy": ["isaac", "fixed"],
                                                                  "adc.resolution.bits": ["[8]", "[5]"]}
    assert c["settings"] == []
    change = new["energy_j"]["total"] / old["energy_j"]["total"] - 1
    for table in ("components", "layers"):
        assert sum(row["energy_change"][1] for row in c[table]) == pytest.approx(change, rel=1e-9)
    assert [row["name"] for row in c["layers"]] == [layer["name"] for layer in old["layers"]]
    assert c["components"][0]["name"] == "adc" and c["components"][0]["energy_change"][1] < -0.2


def test_it_keeps_its_schema_and_one_with_a_fault_does_not(runs):
    SCHEMA.check_schema(SCHEMA.schema)
    c = tree(*(folder for folder, _ in runs.values()))
    SCHEMA.validate(c)
    assert c["config"] and c["settings"] and any(None in row["energy_j"] for row in c["layers"])
    spoiled = list(cli.faults(c))
    assert len(spoiled) > 60
    assert [where for where, faulty in spoiled if SCHEMA.is_valid(faulty)] == [".config[0].sources absent"]  # settings have none


def test_layers_of_one_side_only(runs):
    c = tree(runs["8-bit"][0], runs["mlp"][0])
    rows = {row["name"]: row for row in c["layers"]}
    assert rows["conv1"]["energy_j"][1] is None and rows["fc1"]["energy_j"][0] is None and None not in rows["input"]["energy_j"]
    text = cli.succeed("compare", runs["8-bit"][0], runs["mlp"][0]).out
    assert "absent" in text and "network" in text and "digits-mlp.onnx" in text


def test_the_baseline_may_be_any_run_or_a_further_one(runs):
    a, b, m = (runs[name][0] for name in ("8-bit", "5-bit", "mlp"))
    assert tree(a, b, "--baseline", b / "result.json")["baseline"] == "5-bit"
    assert tree(a, b, "--baseline", b)["figures"][0]["ratios"][1] == 1
    further = tree(a, b, "--baseline", m)
    assert further["baseline"] == "mlp" and len(further["runs"]) == 3
    assert tree(a, "--baseline", b)["baseline"] == "5-bit"


def test_csv_and_text(runs, tmp_path):
    folders = [runs[name][0] for name in runs]
    text = cli.succeed("compare", *folders, "--csv", tmp_path / "c.csv").out
    assert all(len(line) <= 80 for line in text.splitlines()) and "(baseline)" in text
    with open(tmp_path / "c.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    row = next(r for r in rows if r["table"] == "figures" and r["name"] == "energy_j" and r["run"] == "5-bit")
    assert float(row["value"]) == runs["5-bit"][1]["energy_j"]["total"]
    assert float(row["ratio"]) == float(row["value"]) / float(row["baseline"])
    assert text == cli.succeed("compare", *folders).out


@pytest.mark.parametrize("content, said", [
    (None, "has no result.json"), ("", "is no JSON"), ("[]", "has no schema"), ('{"schema": "bitline.adc/1"}', "'bitline.adc/1'"),
    ('{"schema": "bitline.result/2"}', "allowed: bitline.result/1"), ('{"schema": "bitline.result/1"}', "latency_s: is missing")])
def test_what_is_no_result_is_refused(runs, tmp_path, content, said):
    (tmp_path / "bad").mkdir()
    if content is not None:
        (tmp_path / "bad" / "result.json").write_text(content)
    message = cli.refuse(cli.USAGE, "compare", runs["mlp"][0], tmp_path / "bad", "--csv", tmp_path / "c.csv")
    assert said in message and str(tmp_path / "bad") in message and not (tmp_path / "c.csv").exists()


def test_every_wrong_run_is_named(runs, tmp_path):
    message = cli.refuse(cli.USAGE, "compare", tmp_path / "no", runs["mlp"][0], tmp_path / "none.json")
    assert str(tmp_path / "no") in message and "none.json: does not exist" in message
    assert "two runs or more" in cli.refuse(cli.USAGE, "compare", runs["mlp"][0])
    assert "cannot be written" in cli.refuse(cli.USAGE, "compare", runs["mlp"][0], runs["8-bit"][0], "--csv", tmp_path / "no" / "c.csv")
