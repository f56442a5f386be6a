# SPDX-License-Identifier: Apache-2.0
"""The committed corpus is small and is what the generator writes, but for the files that a fuzzer found."""

import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import make_corpus  # noqa: E402


def contents(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_the_seeds_are_those_of_the_generator(tmp_path):
    make_corpus.write(tmp_path)
    committed = {name: data for name, data in contents(HERE / "corpus").items() if "/found-" not in name}
    written = contents(tmp_path)
    assert sorted(committed) == sorted(written)
    assert committed == written


def test_the_corpus_is_small():
    assert sum(map(len, contents(HERE / "corpus").values())) < 500_000


def test_every_target_has_seeds():
    targets = {p.name[:-len("_target.cpp")] for p in HERE.glob("*_target.cpp")}
    assert targets == {p.name for p in (HERE / "corpus").iterdir()} and len(targets) == 3
