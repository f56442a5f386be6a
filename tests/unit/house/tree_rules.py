# SPDX-License-Identifier: Apache-2.0
"""Rules on the source tree. Each function takes the root of a tree and returns its violations as sentences."""

import pathlib
import re

# Levels, lowest first: a folder may use its own level and those before it. Same-level use must not be a cycle.
TOP_LEVELS = [["models"], ["mapper"], ["sim", "workloads"], ["tools"]]
INNER_LEVELS = {
    "models": [["base"], ["device", "periphery", "crossbar", "memory", "digital", "noc"], ["ima"], ["tile"], ["arch"]],
    "mapper": [["tensor"], ["graph"], ["onnx", "reference"], ["quantize"], ["slice"], ["prune"], ["place"]],
}
# Folders of the same level that must not use each other.
STRANGERS = [("sim", "workloads"), ("workloads", "sim")]
CODE_FOLDERS = [name for level in TOP_LEVELS for name in level]
FOLDERS = [*CODE_FOLDERS, "configs", "tests"]

# What an angle-bracket (or quoted) include may only be written in.
CONFINED = [
    (re.compile(r"^(systemc|systemc\.h|tlm|tlm\.h|tlm_.*|sysc/.*)$"), ["models/base/systemc.h"]),
    (re.compile(r"^yaml-cpp/"), ["models/base/"]),
    (re.compile(r"^(google/protobuf|onnx)/"), ["mapper/onnx/", "tests/unit/mapper/onnx/", "tests/unit/workloads/",
                                                "tests/fuzz/"]),
    (re.compile(r"^hwy/"), ["sim/engine/", "sim/analytic/stream_kernels.cpp", "tests/timing/"]),
]
INCLUDE = re.compile(r'^\s*#\s*include\s*(<([^>]+)>|"([^"]+)")', re.MULTILINE)
SOURCE_SUFFIXES = {".h", ".hpp", ".cpp", ".cc"}
SPDX = "SPDX-License-Identifier: Apache-2.0"
SPDX_SUFFIXES = SOURCE_SUFFIXES | {".py", ".cmake", ".yaml", ".yml", ".toml", ".sh"}


def files(root, folders=FOLDERS):
    """Files below `folders` and at the root, as paths relative to the root."""
    root = pathlib.Path(root)
    found = [p for p in root.iterdir() if p.is_file()]
    for folder in [*folders, ".ci"]:
        found += [p for p in (root / folder).rglob("*") if p.is_file() and "__pycache__" not in p.parts]
    return sorted(p.relative_to(root) for p in found)


def sources(root, folders=FOLDERS):
    return [p for p in files(root, folders) if p.suffix in SOURCE_SUFFIXES]


def read(root, path):
    return (pathlib.Path(root) / path).read_text(encoding="utf-8")


def includes(root, path):
    """(name, quoted) of every include line."""
    return [(m.group(2) or m.group(3), m.group(3) is not None) for m in INCLUDE.finditer(read(root, path))]


def include_edges(root):
    """{(folder, used folder): "file includes header"} of all quoted includes between code folders."""
    edges = {}
    for path in sources(root, CODE_FOLDERS):
        for name, quoted in includes(root, path):
            used = pathlib.PurePosixPath(name).parent.as_posix()
            if quoted and used != path.parent.as_posix():
                edges.setdefault((path.parent.as_posix(), used), f"{path} includes {name}")
    return edges


def cmake_calls(text):
    """(function, [arguments]) of every call of a CMake file."""
    text = re.sub(r"#[^\n]*", "", text)
    return [(m.group(1), re.findall(r'"[^"]*"|[^\s"]+', m.group(2)))
            for m in re.finditer(r"(\w+)\s*\(([^()]*)\)", text)]


def cmake_targets(root):
    """{target: (folder, file, [arguments])} of all libraries and programs of the code folders."""
    targets, links = {}, []
    for path in files(root, CODE_FOLDERS):
        if path.name != "CMakeLists.txt" or path.parent == pathlib.Path("."):
            continue
        for function, arguments in cmake_calls(read(root, path)):
            if function in ("bitline_library", "add_library", "add_executable") and arguments:
                name = f"bitline_{arguments[0]}" if function == "bitline_library" else arguments[0]
                targets[name] = (path.parent.as_posix(), path, arguments[1:])
            elif function == "target_link_libraries":
                links.append((arguments[0], arguments[1:]))
    for name, arguments in links:
        if name in targets:
            folder, path, own = targets[name]
            targets[name] = (folder, path, own + arguments)
    return targets


def link_edges(root):
    """{(folder, used folder): "file links target"} of the CMake files of the code folders."""
    targets, edges = cmake_targets(root), {}
    for name, (folder, path, arguments) in targets.items():
        for argument in arguments:
            used = targets.get(argument, (folder,))[0]
            if used != folder:
                edges.setdefault((folder, used), f"{path} links {argument} into {name}")
    return edges


def _level(levels, name):
    return next((i for i, level in enumerate(levels) if name in level), None)


def _forbidden(folder, used):
    """Why `folder` may not use `used`, or None."""
    top, used_top = folder.split("/")[0], used.split("/")[0]
    if used_top not in CODE_FOLDERS:
        return "that is not a code folder (includes are written from the root of the tree)"
    if top != used_top:
        if _level(TOP_LEVELS, used_top) > _level(TOP_LEVELS, top) or (top, used_top) in STRANGERS:
            return "dependencies go models <- mapper <- sim <- tools, and workloads uses mapper"
        return None
    levels = INNER_LEVELS.get(top)
    inner, used_inner = [_level(levels or [], (f + "/").split("/")[1]) for f in (folder, used)]
    if inner is not None and used_inner is not None and used_inner > inner:
        return f"inside {top} dependencies go " + " <- ".join("|".join(level) for level in levels)
    return None


def forbidden_directions(edges):
    return [f"{reason_line}: {why}" for (folder, used), reason_line in sorted(edges.items())
            if (why := _forbidden(folder, used))]


def cycles(edges):
    """Every group of folders that depend on each other, with the lines that make them do so."""
    graph = {}
    for folder, used in edges:
        graph.setdefault(folder, set()).add(used)
        graph.setdefault(used, set())

    def reachable(start):
        seen, stack = set(), [start]
        while stack:
            for used in graph[stack.pop()] - seen:
                seen.add(used)
                stack.append(used)
        return seen

    reach = {folder: reachable(folder) for folder in graph}
    groups = {frozenset([a, *(b for b in reach[a] if a in reach[b])]) for a in graph if a in reach[a]}
    return [f"cycle between {', '.join(sorted(group))}: "
            + "; ".join(line for (a, b), line in sorted(edges.items()) if a in group and b in group)
            for group in sorted(groups, key=sorted)]


def confined_includes(root):
    return [f"{path} includes {name}: only {' or '.join(allowed[:1])} may"
            for path in sources(root) for name, _ in includes(root, path) for pattern, allowed in CONFINED
            if pattern.match(name) and not any(path.as_posix().startswith(a) for a in allowed)]


def missing_readmes(root):
    """Every top-level folder, and every folder of code below one, says what it owns."""
    root = pathlib.Path(root)
    wanted = {root / folder for folder in FOLDERS}
    wanted |= {(root / p).parent for p in sources(root, CODE_FOLDERS) if len(p.parts) > 1}
    return [f"{folder.relative_to(root)} has no README.md" for folder in sorted(wanted)
            if not (folder / "README.md").is_file()]


def _wants_spdx(root, path):
    if path.suffix in SPDX_SUFFIXES or path.name == "CMakeLists.txt":
        return True
    return not path.suffix and (pathlib.Path(root) / path).read_bytes().startswith(b"#!")


def missing_spdx(root):
    return [f"{path} has no SPDX line" for path in files(root)
            if _wants_spdx(root, path) and not any(SPDX in line for line in read(root, path).splitlines()[:2])]


def unlisted_sources(root):
    """A .cpp that no target of its folder lists is never compiled; more than one library blurs the folder."""
    targets, problems = cmake_targets(root), []
    for path in sources(root, CODE_FOLDERS):
        here = [a for folder, _, arguments in targets.values() if folder == path.parent.as_posix() for a in arguments]
        if path.suffix in {".cpp", ".cc"} and path.name not in here:
            problems.append(f"{path} is in no target of {path.parent}/CMakeLists.txt")
    libraries = {}
    for name, (folder, _, arguments) in targets.items():
        if any(pathlib.PurePath(a).suffix == ".cpp" for a in arguments) and name.startswith("bitline_"):
            libraries.setdefault(folder, []).append(name)
    problems += [f"{folder} has {len(names)} libraries: {', '.join(sorted(names))}"
                 for folder, names in sorted(libraries.items()) if len(names) > 1]
    return problems
