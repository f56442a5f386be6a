# SPDX-License-Identifier: Apache-2.0
"""Traces, profile and timeline of `bitline run`. The trace is read by a few lines of protobuf wire format of our own."""

import json
import re

import pytest

import cli

ARCH = cli.ISAAC_8BIT
NETWORK = cli.CNN
ARGUMENTS = ["run", "--arch", ARCH, "--network", NETWORK]
BEGIN, END = 1, 2


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def fields(data):
    """[(number, value)] of a protobuf message; integers and byte strings only."""
    found, at = [], 0
    while at < len(data):
        key, at = varint(data, at)
        if key & 7 == 0:
            value, at = varint(data, at)
        else:
            assert key & 7 == 2
            size, at = varint(data, at)
            value, at = data[at:at + size], at + size
            assert len(value) == size
        found.append((key >> 3, value))
    return found


def read_trace(path):
    """Tracks {uuid: (name, parent)} and slices [(track, name, start, end)] in ps."""
    tracks, slices, open_slices = {}, [], {}
    for number, packet in fields(path.read_bytes()):
        assert number == 1
        packet = dict(fields(packet))
        if 60 in packet:
            track = dict(fields(packet[60]))
            assert track[1] not in tracks and (5 not in track or track[5] in tracks)
            tracks[track[1]] = (track[2].decode(), track.get(5))
            continue
        event = dict(fields(packet[11]))
        assert packet[10] == 1 and event[11] in tracks
        if event[9] == BEGIN:
            assert event[11] not in open_slices
            open_slices[event[11]] = (event[23].decode(), packet[8])
        else:
            assert event[9] == END
            name, start = open_slices.pop(event[11])
            assert packet[8] >= start
            slices.append((event[11], name, start, packet[8]))
    assert not open_slices
    return tracks, slices


@pytest.fixture(scope="module")
def traced(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trace")
    done = cli.bitline(*ARGUMENTS, "--json", "--trace", folder / "run.pftrace")
    assert done.code == 0, done.err
    return json.loads(done.out), *read_trace(folder / "run.pftrace")


def test_every_part_has_a_track_and_its_slices_do_not_overlap(traced):
    _, tracks, slices = traced
    names = [name for name, _ in tracks.values()]
    for expected in ("tile0", "edram", "bus", "activation", "IMA 0", "crossbars", "ADCs", "router 0", "chip_link"):
        assert expected in names, expected
    ends = {}
    for track, _, start, end in slices:
        assert start >= ends.get(track, 0), tracks[track]
        ends[track] = end


def test_slices_add_up_to_the_busy_times_of_the_result(traced):
    result, tracks, slices = traced
    parts = {part["name"]: part for part in result["parts"]}
    for track, part in (("edram", "edram"), ("bus", "bus"), ("crossbars", "ima"), ("activation", "activation"),
                        ("chip_link", "chip_link")):
        busy = sum(end - start for t, _, start, end in slices if tracks[t][0] == track) * 1e-12
        expected = parts[part]["utilization"] * parts[part]["used"] * result["latency_s"]["total"]
        assert busy == pytest.approx(expected, rel=2e-3), track
        requests = sum(1 for t, *_ in slices if tracks[t][0] == track)
        assert requests == parts[part]["requests"], track
    assert max(end for *_, end in slices) * 1e-12 == pytest.approx(result["latency_s"]["total"], rel=1e-6)


def test_a_window_bounds_the_trace(traced, tmp_path):
    _, _, whole = traced
    done = cli.bitline(*ARGUMENTS, "--quiet", "--trace", tmp_path / "part.pftrace", "--trace-window", "10us:12us")
    assert done.code == 0, done.err
    _, slices = read_trace(tmp_path / "part.pftrace")
    inside = sorted((name, start, end) for _, name, start, end in whole
                    if end > 10_000_000 and start < 12_000_000 and "reads" not in name and "conversions" not in name)
    assert inside and inside == sorted((name, start, end) for _, name, start, end in slices
                                       if "reads" not in name and "conversions" not in name)


def test_waveforms_of_a_structural_run(tmp_path):
    file = tmp_path / "ima.vcd"
    done = cli.bitline("run", "--arch", ARCH, "--network", cli.MLP, "--mode", "structural",
                   "--quiet", "--json", "--trace", file)
    assert done.code == 0, done.err
    total = json.loads(done.out)["latency_s"]["total"]
    header, _, changes = file.read_text().partition("$enddefinitions")
    assert re.search(r"\$timescale\s+1 fs\s+\$end", header)
    variables = re.findall(r"\$var\s+\w+\s+\d+\s+(\S+)\s+(\S+)", header)
    assert any("latch" in name for _, name in variables) and len(variables) > 20
    times = [int(t) for t in re.findall(r"^#(\d+)", changes, re.M)]
    assert times == sorted(times) and 0 < times[-1] * 1e-15 <= total


def test_the_profile_sums_to_the_wall_time():
    done = cli.bitline(*ARGUMENTS, "--json", "--profile")
    assert done.code == 0, done.err
    scale = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0}
    rows = {name: float(value) * scale[unit] for name, value, unit in
            re.findall(r"^  (\w+) +([\d.]+) (ns|us|ms|s) +[\d.]+ %$", done.err, re.M)}
    assert list(rows) == ["import", "calibration", "mapping", "engine", "SystemC", "result", "total"]
    assert sum(rows.values()) - rows["total"] == pytest.approx(rows["total"], rel=2e-3)
    assert rows["total"] == pytest.approx(json.loads(done.out)["wall_time_s"]["total"], rel=0.02)
    events, rate, prefix = re.search(r"([\d ]+) events, ([\d.]+) ([kMG]?)events/s", done.err).groups()
    rate = float(rate) * {"": 1, "k": 1e3, "M": 1e6, "G": 1e9}[prefix]
    assert int(events.replace(" ", "")) / rate == pytest.approx(rows["SystemC"], rel=2e-3)


def test_the_timeline_shows_layers_where_they_were_at_work():
    done = cli.bitline(*ARGUMENTS, "--quiet", "--timeline")
    assert done.code == 0, done.err
    bars = re.findall(r"^  (\S+) +\|( *)(#+)( *)\| +[\d.]+ %$", done.out, re.M)
    result = json.loads(cli.bitline(*ARGUMENTS, "--quiet", "--json").out)
    assert [bar[0] for bar in bars] == [layer["name"] for layer in result["layers"]]
    total = result["latency_s"]["total"]
    for (_, before, work, after), layer in zip(bars, result["layers"]):
        assert len(before) + len(work) + len(after) == 50
        assert len(before) == pytest.approx(50 * layer["start_s"] / total, abs=1)
        assert len(work) == pytest.approx(50 * layer["latency_s"] / total, abs=1.01)


@pytest.mark.parametrize("arguments, message", [
    (["--trace", "x.txt"], "<name>.pftrace or <name>.vcd"),
    (["--trace", "x.vcd"], "waveforms with --mode cycle"),
    (["--trace", "x.pftrace", "--mode", "structural"], "activities with --mode structural"),
    (["--trace-window", "1us:2us"], "given without a trace"),
    (["--trace", "x.pftrace", "--trace-window", "2us"], "is not two times"),
    (["--trace", "x.pftrace", "--trace-window", "2us:1us"], "is empty"),
    (["--trace", "x.pftrace", "--trace-window", "1:2us"], "has no unit"),
    (["--trace", "/proc/no/x.pftrace"], "cannot be written"),
])
def test_bad_traces_are_usage_errors(arguments, message, tmp_path):
    done = cli.bitline(*ARGUMENTS, *arguments, cwd=tmp_path)
    assert done.code == 2 and message in done.err, done.err
    assert not list(tmp_path.iterdir())
