# SPDX-License-Identifier: Apache-2.0
"""The tree keeps its rules, and each rule is shown to find a violation in a small bad tree."""

import pathlib

import pytest

import tree_rules as rules

ROOT = pathlib.Path(__file__).resolve().parents[3]
SPDX = f"// {rules.SPDX}\n"


def write(root, contents):
    """Makes the files of {path: text} below `root`."""
    for name, text in contents.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_the_tree_is_read_at_all():
    assert len(rules.sources(ROOT)) > 20
    assert ("mapper/place", "models/arch") in rules.include_edges(ROOT)
    assert len(rules.cmake_targets(ROOT)) > 5


@pytest.mark.parametrize("edges", [rules.include_edges, rules.link_edges])
def test_no_folder_depends_on_one_above_it(edges):
    assert rules.forbidden_directions(edges(ROOT)) == []


@pytest.mark.parametrize("edges", [rules.include_edges, rules.link_edges])
def test_no_cycle_between_folders(edges):
    assert rules.cycles(edges(ROOT)) == []


@pytest.mark.parametrize("rule", [rules.confined_includes, rules.missing_readmes, rules.missing_spdx,
                                  rules.unlisted_sources])
def test_the_tree_keeps_the_rule(rule):
    assert rule(ROOT) == []


@pytest.mark.parametrize("user, used", [
    ("models/base/a.h", "mapper/tensor/b.h"), ("mapper/place/a.h", "sim/engine/b.h"),
    ("sim/cycle/a.h", "tools/bitline/b.h"), ("models/base/a.h", "models/arch/b.h"),
    ("models/periphery/a.h", "models/ima/b.h"), ("models/ima/a.h", "models/tile/b.h"),
    ("mapper/tensor/a.h", "mapper/graph/b.h"), ("mapper/onnx/a.h", "mapper/quantize/b.h"),
    ("mapper/slice/a.h", "mapper/place/b.h"), ("workloads/a.h", "sim/cycle/b.h"),
    ("sim/result/a.h", "workloads/b.h"), ("mapper/onnx/a.h", "workloads/b.h"), ("sim/result/a.h", "tests/b.h"),
    ("models/base/a.h", "units.h")])
def test_an_include_against_the_direction_is_found(tmp_path, user, used):
    write(tmp_path, {user: f'{SPDX}#include "{used}"\n'})
    (problem,) = rules.forbidden_directions(rules.include_edges(tmp_path))
    assert problem.startswith(f"{user} includes {used}: ")


def test_an_include_along_the_direction_is_accepted(tmp_path):
    write(tmp_path, {"mapper/place/a.h": '#include "models/arch/b.h"\n#include "mapper/slice/b.h"\n#include <set>\n',
          "sim/cycle/a.cpp": '#include "mapper/place/a.h"\n', "workloads/a.cpp": '#include "mapper/onnx/b.h"\n',
          "tools/bitline/a.cpp": '#include "workloads/b.h"\n#include "sim/cycle/a.h"\n'})
    edges = rules.include_edges(tmp_path)
    assert len(edges) == 6
    assert rules.forbidden_directions(edges) == [] and rules.cycles(edges) == []


def test_a_cycle_of_includes_is_found(tmp_path):
    write(tmp_path, {"models/noc/a.h": '#include "models/memory/b.h"\n',
          "models/memory/b.h": '#include "models/digital/c.h"\n',
          "models/digital/c.h": '#include "models/noc/a.h"\n', "models/tile/d.h": '#include "models/noc/a.h"\n'})
    (problem,) = rules.cycles(rules.include_edges(tmp_path))
    assert problem.startswith("cycle between models/digital, models/memory, models/noc: ")
    assert "models/noc/a.h includes models/memory/b.h" in problem


def library(name, *used):
    return f"bitline_library({name} SOURCES a.cpp # a comment\n  PUBLIC {' '.join(used)})\n"


def test_a_cycle_of_links_is_found(tmp_path):
    write(tmp_path, {"sim/engine/CMakeLists.txt": library("sim_engine", "bitline_sim_cycle"),
          "sim/cycle/CMakeLists.txt": library("sim_cycle") +
          "target_link_libraries(bitline_sim_cycle PRIVATE bitline_sim_engine fmt::fmt)\n"})
    (problem,) = rules.cycles(rules.link_edges(tmp_path))
    assert problem.startswith("cycle between sim/cycle, sim/engine: ")


def test_a_link_against_the_direction_is_found(tmp_path):
    write(tmp_path, {"models/arch/CMakeLists.txt": library("models_arch", "bitline_mapper_tensor"),
          "mapper/tensor/CMakeLists.txt": library("mapper_tensor")})
    (problem,) = rules.forbidden_directions(rules.link_edges(tmp_path))
    assert "models/arch/CMakeLists.txt links bitline_mapper_tensor into bitline_models_arch: " in problem


@pytest.mark.parametrize("header, home", [
    ("systemc", "models/base/systemc.h"), ("systemc.h", "models/base/systemc.h"), ("tlm.h", "models/base/systemc.h"),
    ("yaml-cpp/yaml.h", "models/base/yaml.cpp"), ("onnx/onnx_pb.h", "mapper/onnx/import.cpp"),
    ("google/protobuf/message.h", "mapper/onnx/import.cpp"), ("hwy/highway.h", "sim/engine/kernel.cpp")])
def test_a_confined_header_is_found_outside_its_home_only(tmp_path, header, home):
    write(tmp_path, {path: f"#include <{header}>\n" for path in (home, "sim/cycle/elsewhere.cpp")})
    (problem,) = rules.confined_includes(tmp_path)
    assert problem.startswith(f"sim/cycle/elsewhere.cpp includes {header}: ")


def test_systemc_is_confined_to_one_file(tmp_path):
    write(tmp_path, {"models/base/other.h": "#include <systemc>\n"})
    assert len(rules.confined_includes(tmp_path)) == 1


def test_a_missing_readme_is_found(tmp_path):
    for folder in rules.FOLDERS:
        write(tmp_path, {f"{folder}/README.md": "about\n"})
    assert rules.missing_readmes(tmp_path) == []
    write(tmp_path, {"models/noc/router.h": SPDX})
    assert rules.missing_readmes(tmp_path) == ["models/noc has no README.md"]
    (tmp_path / "configs" / "README.md").unlink()
    assert "configs has no README.md" in rules.missing_readmes(tmp_path)


@pytest.mark.parametrize("path, text", [
    ("models/base/a.h", "#pragma once\n"), ("sim/a.cpp", "int x;\n"), ("tests/a.py", "import os\n"),
    ("configs/a.yaml", "chip:\n"), ("sim/CMakeLists.txt", "add_subdirectory(cycle)\n"),
    ("tools/run", "#!/bin/sh\necho\n"), (".ci/run", "#!/bin/sh\n"), ("CMakeLists.txt", "project(x)\n")])
def test_a_missing_spdx_line_is_found(tmp_path, path, text):
    write(tmp_path, {path: text})
    assert rules.missing_spdx(tmp_path) == [f"{path} has no SPDX line"]
    first, rest = text.split("\n", 1) if text.startswith("#!") else ("", text)
    write(tmp_path, {path: f"{first}\n# {rules.SPDX}\n{rest}"})
    assert rules.missing_spdx(tmp_path) == []


def test_a_source_in_no_target_is_found(tmp_path):
    write(tmp_path, {"sim/cycle/CMakeLists.txt": library("sim_cycle"), "sim/cycle/a.cpp": SPDX,
          "sim/cycle/b.cpp": SPDX})
    assert rules.unlisted_sources(tmp_path) == ["sim/cycle/b.cpp is in no target of sim/cycle/CMakeLists.txt"]


def test_two_libraries_in_a_folder_are_found(tmp_path):
    write(tmp_path, {"sim/cycle/CMakeLists.txt": library("sim_cycle") + library("sim_more"),
          "sim/cycle/a.cpp": SPDX})
    assert rules.unlisted_sources(tmp_path) == ["sim/cycle has 2 libraries: bitline_sim_cycle, bitline_sim_more"]
