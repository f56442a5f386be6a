# SPDX-License-Identifier: Apache-2.0
"""result.json of real runs: schema, sums, relations between figures, accuracy, repeatability."""

import csv
import json
import math
import pathlib

import jsonschema
import numpy as np
import onnx
import pytest

import cli
import onnx_torch

CLOSE = {"rel_tol": 1e-9, "abs_tol": 0.0}
SCHEMA = json.loads((cli.ROOT / "sim" / "result" / "result.schema.json").read_text())
STREAMED = 4
RUNS = {"isaac": cli.ISAAC, "isaac-8bit": cli.ISAAC_8BIT, "bitslice-l1": cli.BITSLICE}


@pytest.fixture(scope="module", params=RUNS)
def run(request, tmp_path_factory):
    """(folder, result) of the digits CNN on each shipped machine, four images streamed."""
    folder = tmp_path_factory.mktemp(request.param)
    return folder, cli.run_digits(folder, "--batch", STREAMED, arch=RUNS[request.param])


def total(breakdown):
    return math.fsum(breakdown.values())


def test_the_result_keeps_its_schema(run):
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.Draft202012Validator(SCHEMA).validate(run[1])
    assert run[1]["schema"] == "bitline.result/1"


def test_a_result_with_a_fault_does_not_keep_the_schema(run):
    for key in run[1]:
        faulty = {k: v for k, v in run[1].items() if k != key}
        if key != "accuracy":
            assert not jsonschema.Draft202012Validator(SCHEMA).is_valid(faulty), key
        assert not jsonschema.Draft202012Validator(SCHEMA).is_valid({**run[1], key: "text"}), key


def test_energy_equals_its_parts(run):
    energy, layers = run[1]["energy_j"], run[1]["layers"]
    assert energy["total"] > 0
    assert math.isclose(energy["total"], energy["dynamic"] + energy["static"], **CLOSE)
    assert math.isclose(energy["total"], total(energy["by_component"]), **CLOSE)
    for part in ("total", "dynamic", "static"):
        assert math.isclose(energy[part], math.fsum(layer["energy_j"][part] for layer in layers), **CLOSE)
    for layer in layers:
        assert math.isclose(layer["energy_j"]["total"], total(layer["energy_j"]["by_component"]), rel_tol=1e-9,
                            abs_tol=1e-24)
    for component, value in energy["by_component"].items():
        layer_sum = math.fsum(layer["energy_j"]["by_component"].get(component, 0.0) for layer in layers)
        assert math.isclose(value, layer_sum, rel_tol=1e-9, abs_tol=1e-24), component


def test_area_equals_its_parts(run):
    assert run[1]["area_mm2"]["total"] > 0
    assert math.isclose(run[1]["area_mm2"]["total"], total(run[1]["area_mm2"]["by_component"]), **CLOSE)


def test_counts_equal_their_parts(run):
    adc, layers = run[1]["adc"], run[1]["layers"]
    slices = [s for layer in layers for s in layer["slices"]]
    assert adc["conversions"] == sum(s["conversions"] for s in slices) > 0
    assert adc["clipped"] == sum(s["clipped"] for s in slices)
    assert all(s["clipped"] <= s["conversions"] for s in slices)
    crossbars = run[1]["crossbars"]
    assert crossbars["used"] == sum(layer["crossbars"] for layer in layers) <= crossbars["available"]
    cells = math.fsum(layer["cell_utilization"] * layer["crossbars"] for layer in layers)
    assert math.isclose(crossbars["cell_utilization"], cells / crossbars["used"], **CLOSE)


def test_the_map_of_the_layers_equals_the_counts(run):
    result = run[1]
    layers, machine = result["layers"], result["machine"]
    end = max(layer["start_s"] + layer["latency_s"] for layer in layers)
    assert sum(layer["macs"] for layer in layers) == result["macs"]["crossbars"] + result["macs"]["digital"]
    for at, layer in enumerate(layers):
        place = layer["placement"]
        assert sum(place["crossbars"]) == layer["crossbars"] and sum(place["imas"]) == layer["imas"]
        assert sum(n > 0 for n in place["imas"]) == layer["tiles"]
        assert all(0 <= tile < machine["tiles"] for tile in place["tiles"]) and place["tiles"] == sorted(set(place["tiles"]))
        assert all(n <= machine["tile_imas"] for n in place["imas"])
        assert all(source < at for source in layer["inputs"]) and bool(layer["inputs"]) == (layer["op"] != "input")
        assert layer["bus_bytes"] > 0 or layer["crossbars"] == 0
        waits = layer["waits"]
        for kind in ("input", "output"):
            seconds = sum(int(c, 36) for c in waits[kind]) / 35 * result["waits_bin_s"]
            assert abs(seconds - layer["stalls_s"][kind]) <= (len(waits[kind]) + 1) / 70 * result["waits_bin_s"]
        assert (waits["first_bin"] + len(waits["input"]) - 1) * result["waits_bin_s"] <= end
    assert 64 <= end / result["waits_bin_s"] <= 128


def test_zero_chunks_are_left_out_and_counted(tmp_path):
    """Of the MLP, from the dumped inputs: reads of a row block whose chunk is zero on all rows."""
    sets = ["--set", "adc.resolution.policy=lossless", "--set", "ima.output_register.capacity=4 KiB", "--batch", 2]
    results = {}
    for gate in ("false", "true"):
        results[gate] = cli.run_digits(tmp_path / gate, *sets, "--set", f"ima.gate_zero_chunks={gate}", "--dump-layers",
                                       tmp_path / f"d{gate}", network=cli.MLP, arch=cli.ISAAC_8BIT)
    plain, gated = results["false"]["adc"], results["true"]["adc"]
    assert plain["gated"] == 0 < gated["gated"]
    assert plain["conversions"] == gated["conversions"] + gated["gated"] and plain["clipped"] == gated["clipped"]
    expected = 0
    for entry in json.loads((tmp_path / "dtrue" / "layers.json").read_text()):
        x = np.load(tmp_path / "dtrue" / f"{entry['name']}.x.npy")[:2]
        outputs = np.load(tmp_path / "dtrue" / f"{entry['name']}.w.npy").shape[0]
        for block, (first, last) in enumerate(entry["row_blocks"]):
            zero = sum(int(not np.any((image[first:last] >> bit) & 1)) for image in x for bit in range(8))
            expected += zero * outputs * sum(bits > 0 for bits in entry["adc_bits"][block])
    assert gated["gated"] == expected


def macs(path):
    """Multiply-accumulates of one image, from the shapes that the torch executor sees."""
    proto = onnx.load(str(path))
    values, count = onnx_torch.run(proto, np.zeros((1, 1, 8, 8), np.float32)), 0
    for node in proto.graph.node:
        if node.op_type in ("Conv", "Gemm"):
            weight, out = values[node.input[1]], values[node.output[0]]
            count += out.size * (weight[0].size if node.op_type == "Conv" else weight.size // out.shape[1])
    return count


def test_figures_follow_from_each_other(run):
    result = run[1]
    latency, energy = result["latency_s"], result["energy_j"]["total"]
    assert 0 < latency["interval"] <= latency["image"] <= latency["total"]
    assert math.isclose(latency["total"], latency["image"] + (STREAMED - 1) * latency["interval"], **CLOSE)
    assert math.isclose(result["throughput_ips"], 1 / latency["interval"], **CLOSE)
    assert math.isclose(result["power_w"], energy * STREAMED / latency["total"], **CLOSE)
    assert math.isclose(result["tops"], 2 * macs(cli.CNN) * result["throughput_ips"] / 1e12, **CLOSE)
    assert math.isclose(result["tops_per_w"], result["tops"] / result["power_w"], **CLOSE)
    assert math.isclose(result["tops_per_mm2"], result["tops"] / result["area_mm2"]["total"], **CLOSE)
    clock = 10e6
    assert result["cycles"] == math.ceil(latency["total"] * clock * (1 - 1e-12))


def test_layers_are_those_of_the_network_in_order(run):
    on_crossbars = [n.name for n in onnx.load(str(cli.CNN)).graph.node if n.op_type in ("Conv", "Gemm")]
    assert [layer["name"] for layer in run[1]["layers"] if layer["crossbars"]] == on_crossbars
    rows = {layer["name"]: (layer["rows"], layer["cols"]) for layer in run[1]["layers"]}
    assert rows["conv1"] == (9, 16) and rows["conv6"] == (288, 32) and rows["fc"] == (128, 10)


def test_the_tables_say_what_the_json_says(run):
    folder, result = run
    def rows(name):
        lines = [line for line in (folder / name).read_text().splitlines() if not line.startswith("#")]
        return list(csv.DictReader(lines))
    layers = rows("layers.csv")
    assert [row["name"] for row in layers] == [layer["name"] for layer in result["layers"]]
    energy = math.fsum(float(row["energy_j"]) for row in layers)
    assert math.isclose(energy, result["energy_j"]["total"], **CLOSE)
    components = {row["component"]: row for row in rows("components.csv")}
    for name, value in result["area_mm2"]["by_component"].items():
        assert float(components[name]["area_mm2"]) == value
    for name, value in result["energy_j"]["by_component"].items():
        assert float(components[name]["energy_j"]) == value


def test_float_accuracy_is_that_of_the_independent_executor(run):
    labels = np.load(cli.TEST_Y)
    scores = onnx_torch.infer(cli.CNN, np.load(cli.TEST_X))
    accuracy = run[1]["accuracy"]
    assert accuracy["images"] == len(labels) == 360
    assert math.isclose(accuracy["float_top1"], (scores.argmax(1) == labels).mean(), **CLOSE)
    assert accuracy["top1"] <= accuracy["top5"] <= 1


@pytest.mark.parametrize("network", [cli.CNN, cli.MLP], ids=lambda p: p.stem)
def test_eight_bits_without_clipping_keep_the_accuracy(tmp_path, network):
    result = cli.run_digits(tmp_path, "--set", "adc.resolution.policy=lossless", arch=cli.ISAAC_8BIT, network=network)
    assert result["adc"]["clipped"] == 0
    assert abs(result["accuracy"]["top1"] - result["accuracy"]["float_top1"]) <= 0.005
    assert result["accuracy"]["float_top1"] >= 0.97


def test_one_bit_converters_lose_the_accuracy(tmp_path):
    """So that the test above could fail."""
    result = cli.run_digits(tmp_path, "--set", "adc.resolution.policy=fixed", "--set", "adc.resolution.bits=1",
                            arch=cli.ISAAC_8BIT)
    assert result["adc"]["clipped"] > 0 and result["accuracy"]["top1"] < 0.5


def test_accuracy_is_that_of_the_dumped_outputs(tmp_path):
    result = cli.run_digits(tmp_path / "out", "--dump-outputs", tmp_path / "dump", arch=cli.ISAAC_8BIT)
    scores, labels = np.load(tmp_path / "dump" / "logits.npy"), np.load(cli.TEST_Y)
    assert scores.shape == (360, 10) and scores.dtype == np.float32
    assert math.isclose(result["accuracy"]["top1"], (scores.argmax(1) == labels).mean(), **CLOSE)
    ranks = (scores > scores[np.arange(360), labels][:, None]).sum(1)
    assert math.isclose(result["accuracy"]["top5"], (ranks < 5).mean(), **CLOSE)


def everything(folder):
    """All files of a run by name, as bytes; result.json without its wall time."""
    files = {}
    for path in sorted(pathlib.Path(folder).rglob("*")):
        if path.is_file():
            files[str(path.relative_to(folder))] = path.read_bytes()
    result = json.loads(files.pop("out/result.json"))
    assert result.pop("wall_time_s")["total"] > 0
    files["result"] = json.dumps(result).encode()
    return files


@pytest.mark.parametrize("mode", ["cycle", "structural"])
def test_equal_commands_give_equal_bytes_with_any_number_of_threads(tmp_path, mode):
    np.save(tmp_path / "x.npy", np.load(cli.TEST_X)[:12])
    runs = []
    for name, threads in (("first", 2), ("again", 2), ("alone", 1)):
        folder = tmp_path / name
        answer = cli.succeed("run", "--arch", cli.ISAAC_8BIT, "--network", cli.CNN, "--input", tmp_path / "x.npy",
                             "--mode", mode, "--batch", 2, "--threads", threads, "--out", folder / "out",
                             "--dump-outputs", folder / "outputs", "--dump-layers", folder / "layers", timeout=300)
        runs.append({**everything(folder), "stdout": answer.out.encode()})
    assert len(runs[0]) > 10
    for other in runs[1:]:
        assert sorted(runs[0]) == sorted(other)
        assert [name for name in runs[0] if runs[0][name] != other[name]] == []


def integers(folder):
    return {path.name: np.load(path) for path in folder.glob("layers/*.y.npy")}


def test_an_image_does_not_depend_on_the_others_nor_on_the_batch(tmp_path):
    """Sums of every layer with ADCs that clip: of all images, of each alone, and of all in another order."""
    x = np.load(cli.TEST_X)[:7]
    np.save(tmp_path / "calibration.npy", x)
    orders = {"all": (range(7), 1), "batch": (range(7), 3), "reverse": (range(6, -1, -1), 7), "one": ([4], 1)}
    sums, results = {}, {}
    for name, (order, batch) in orders.items():
        np.save(tmp_path / "x.npy", x[list(order)])
        answer = cli.succeed("run", "--arch", cli.ISAAC_8BIT, "--network", cli.CNN, "--input", tmp_path / "x.npy",
                             "--calibrate", tmp_path / "calibration.npy", "--set", "adc.resolution.policy=fixed",
                             "--set", "adc.resolution.bits=5", "--batch", batch, "--json", "--dump-layers",
                             tmp_path / name / "layers")
        sums[name], results[name] = integers(tmp_path / name), json.loads(answer.out)
    assert results["all"]["adc"]["clipped"] > 0 and len(sums["all"]) > 2
    for layer, y in sums["all"].items():
        for name, (order, _) in orders.items():
            assert np.array_equal(sums[name][layer], y[list(order)]), (layer, name)


def test_structural_equals_cycle_but_for_the_name_of_the_mode(tmp_path):
    np.save(tmp_path / "x.npy", np.load(cli.TEST_X)[:2])
    results = []
    for mode in ("cycle", "structural"):
        result = cli.run_digits(tmp_path / mode, "--mode", mode, "--batch", 2, images=tmp_path / "x.npy", labels=None,
                                arch=cli.ISAAC_8BIT, timeout=300)
        assert result["provenance"].pop("mode") == mode
        result.pop("wall_time_s")
        results.append(result)
    assert results[0] == results[1]


def test_random_images_follow_the_seed(tmp_path):
    def conversions(name, *arguments):
        cli.succeed("run", "--arch", cli.ISAAC_8BIT, "--network", cli.MLP, "--out", tmp_path / name, "--dump-outputs",
                    tmp_path / name, *arguments)
        return np.load(tmp_path / name / "logits.npy")
    np.testing.assert_array_equal(conversions("a", "--seed", 5), conversions("b", "--seed", 5))
    assert (conversions("c", "--seed", 6) != conversions("d", "--seed", 5)).any()


def test_json_on_stdout_is_the_file(tmp_path):
    answer = cli.succeed("run", "--arch", cli.ISAAC_8BIT, "--network", cli.MLP, "--json", "--out", tmp_path)
    assert answer.out == (tmp_path / "result.json").read_text()


def test_provenance_tells_what_was_run(run):
    import hashlib
    provenance = run[1]["provenance"]
    assert provenance["network_sha256"] == hashlib.sha256(cli.CNN.read_bytes()).hexdigest()
    assert provenance["images_streamed"] == STREAMED and provenance["images_evaluated"] == 360
    assert provenance["calibration"] == "given" and provenance["inputs"] == "given"
    assert all(entry["source"] for entry in provenance["config"].values())


def test_overrides_are_told_and_change_the_hash_of_the_machine(tmp_path):
    plain = cli.run_digits(tmp_path / "a", arch=cli.ISAAC_8BIT)["provenance"]
    changed = cli.run_digits(tmp_path / "b", "--set", "adc.rate=1 GHz", arch=cli.ISAAC_8BIT)["provenance"]
    assert changed["overrides"] == ["adc.rate=1 GHz"] and plain["overrides"] == []
    assert changed["config_sha256"] != plain["config_sha256"]
    assert changed["config"]["adc.rate"]["source"] == "--set"
