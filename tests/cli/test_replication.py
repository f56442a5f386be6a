# SPDX-License-Identifier: Apache-2.0
"""Copies of layers on whole networks: balanced beats one copy, and a uniform number of copies with more crossbars."""

import json

import pytest

import cli


def run(network, *sets):
    words = [word for key in sets for word in ("--set", key)]
    return json.loads(cli.succeed("run", "--arch", cli.ISAAC_8BIT, "--network", network, "--json", "--quiet", *words).out)


@pytest.mark.parametrize("name", ["vgg8", "resnet18"])
def test_balanced_copies_beat_one_copy_and_uniform_copies(tmp_path, name):
    network = tmp_path / f"{name}.onnx"
    cli.succeed("workload", "make", name, "-o", network)
    none = run(network)
    balanced = run(network, "mapping.replication=balanced")
    # The uniform number of copies that needs at least the crossbars of the balanced ones.
    uniform = 1 + balanced["crossbars"]["used"] // none["crossbars"]["used"]
    same = run(network, "mapping.replication=per_layer", f"mapping.replicas={uniform}")
    assert none["crossbars"]["used"] < balanced["crossbars"]["used"] < same["crossbars"]["used"]
    image = [result["latency_s"]["image"] for result in (balanced, same, none)]
    assert image == sorted(image) and image[0] < 0.7 * image[1] and image[0] < 0.25 * image[2]
    copies = [layer["replicas"] for layer in balanced["layers"] if layer["replicas"] > 0]
    assert copies[0] == max(copies) and copies[-1] == 1
    assert {layer["replicas"] for layer in none["layers"] if layer["replicas"] > 0} == {1}
    # The same conversions and reads, on more crossbars.
    assert balanced["adc"] == none["adc"] == same["adc"]
    for component in ("adc", "crossbar", "dac", "shift_add", "input_register"):
        energy = [result["energy_j"]["by_component"][component] for result in (balanced, same, none)]
        assert energy == pytest.approx([energy[0]] * 3, rel=1e-9), component


def test_copies_need_not_wait_for_pooling_that_is_spread_over_tiles(tmp_path):
    network = tmp_path / "resnet18.onnx"
    cli.succeed("workload", "make", "resnet18", "-o", network)
    whole, spread = (run(network, "mapping.replication=balanced", "mapping.placement=annealed", f"mapping.digital={how}")
                     for how in ("whole", "spread"))
    assert spread["latency_s"]["image"] < 0.3 * whole["latency_s"]["image"]
    pooling, whole_pooling = ({part["name"]: part for part in result["parts"]}["pooling"] for result in (spread, whole))
    assert pooling["used"] > whole_pooling["used"]
    assert spread["energy_j"]["by_component"]["pooling"] == pytest.approx(whole["energy_j"]["by_component"]["pooling"], rel=1e-9)
