# SPDX-License-Identifier: Apache-2.0
"""bitline.nas, whole runs on tiny settings: search to report, kills at any point, given networks, other data, bad input."""

import dataclasses
import fcntl
import json
import os
import random
import signal
import time

import numpy as np
import pytest
import torch

import cli
from bitline.nas import checkpoint, data, onnx_module
from bitline.nas.cli import main
from bitline.nas.genotype import Genotype
from bitline.nas.pipeline import Run, Settings
from bitline.nas.quantise import Bits, quantise
from bitline.nas.search import Search
from bitline.nas.simulate import Machine
from bitline.nas.slices import nonzero_ratios
from bitline.nas.train import Training, accuracy, fit

ARCH = str(cli.CONFIGS / "bitslice-4bit.yaml")
RESULTS = ("genotype.json", "network.onnx", "report.json", "report.md", "test-x.npy", "settings.json")
TINY = Settings(Machine(ARCH), channels=2, search=Search(epochs=2, warmup=1, batch=16), training=Training(epochs=3, batch=32),
                train_images=64, test_images=40)

torch.set_num_threads(1)


def contents(folder):
    return {name: (folder / name).read_bytes() for name in RESULTS}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The folder of a run that nothing stopped."""
    folder = tmp_path_factory.mktemp("runs") / "undisturbed"
    Run(folder, TINY, seconds=0)()
    return folder


def test_a_run_reports_what_the_command_line_measures(undisturbed):
    report = json.loads((undisturbed / "report.json").read_text())
    tree = json.loads(cli.succeed("run", "--quiet", "--json", "--arch", ARCH, "--network", undisturbed / "network.onnx", "--input",
                                  undisturbed / "test-x.npy", "--labels", undisturbed / "test-y.npy").out)
    machine = report["machine"]
    assert machine["top1"] == tree["accuracy"]["top1"] and machine["images"] == 40
    assert machine["energy_j"] == tree["energy_j"]["total"] and machine["latency_s"] == tree["latency_s"]["image"]
    assert machine["edp_js"] == pytest.approx(machine["energy_j"] * machine["latency_s"]) and machine["adc_clipped"] == 0
    assert abs(report["top1_pytorch"] - machine["top1"]) <= 1 / 40  # an image may hang on a rounding tie
    layers = [slice_ for layer in machine["layers"] for slice_ in layer["slices"]]
    for place, row in enumerate(machine["slices"]):
        mine = [layer["slices"][place] for layer in machine["layers"]]
        assert row["nonzero_ratio"] == pytest.approx(sum(s["nonzero"] for s in mine) / sum(s["cells"] for s in mine))
        assert row["adc_bits_most"] == max(s["adc_bits_needed"] for s in mine) <= max(s["adc_bits"] for s in layers)
    found = Genotype.of(undisturbed / "genotype.json")
    assert report["genotype"] == found.as_dict() and all(op != "none" for op, _ in found.normal + found.reduce)
    assert "accuracy, machine" in (undisturbed / "report.md").read_text()


def in_child(work):
    """Runs `work` in a forked process; its id."""
    process = os.fork()
    if process == 0:
        try:
            work()
            os._exit(0)
        except BaseException as error:
            print(repr(error))
            os._exit(1)
    return process


def ended(process):
    """How a child ended: 0, an exit code, or minus a signal."""
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def test_a_run_killed_again_and_again_ends_with_the_same_bytes(undisturbed, tmp_path):
    """Kills at random times: further and further into what is left, so that the run comes to its end."""
    chance, killed = random.Random(3), 0
    for attempt in range(40):
        process = in_child(lambda: Run(tmp_path / "run", TINY, seconds=0)())
        time.sleep(chance.uniform(0.2, 1.0) * (1 + attempt))
        os.kill(process, signal.SIGKILL)
        code = ended(process)
        assert code in (0, -signal.SIGKILL)
        killed += code != 0
        if code == 0:
            break
    assert killed >= 1 and code == 0
    assert contents(tmp_path / "run") == contents(undisturbed)
    assert Run(tmp_path / "run", TINY)() == json.loads((undisturbed / "report.json").read_text())


def test_a_kill_between_writing_and_renaming_loses_nothing(undisturbed, tmp_path):
    """The run dies in its first renaming of a file, then, gone on with, in the second of those left, and so on to its end."""
    def work():
        real = os.replace

        def replace(source, target):
            if not (tmp_path / "seen" / os.path.basename(target)).exists():
                (tmp_path / "seen" / os.path.basename(target)).touch()
                os.kill(os.getpid(), signal.SIGKILL)
            real(source, target)
        os.replace = replace
        Run(tmp_path / "run", TINY, seconds=0)()
    (tmp_path / "seen").mkdir()
    code, kills = -signal.SIGKILL, 0
    while code == -signal.SIGKILL and kills < 12:
        code = ended(in_child(work))
        kills += code != 0
        assert code == 0 or list((tmp_path / "run").glob(".*.tmp"))
    assert code == 0 and {p.name for p in (tmp_path / "seen").iterdir()} == {*RESULTS, "search.pt", "train.pt", "test-y.npy"}
    assert contents(tmp_path / "run") == contents(undisturbed) and not list((tmp_path / "run").glob(".*.tmp"))


def test_a_search_follows_its_seed_and_its_hardware_term(undisturbed, tmp_path):
    other = dataclasses.replace(TINY, seed=2, hardware="none", training=Training(epochs=0))
    Run(tmp_path / "other", other)()
    states = [torch.load(folder / "search.pt")["supernet"]["arch.alpha_normal"] for folder in (undisturbed, tmp_path / "other")]
    assert not torch.equal(*states)
    assert all(s.std() > 2e-3 for s in states)  # moved: they start with 1e-3
    dear = dataclasses.replace(TINY, training=Training(epochs=0), metric="energy", hardware="oracle",
                               search=dataclasses.replace(TINY.search, hardware=1e4))
    Run(tmp_path / "dear", dear)()
    cheap = {"skip_connect", "max_pool_3x3", "avg_pool_3x3"}
    alphas = torch.load(tmp_path / "dear" / "search.pt")["supernet"]["arch.alpha_normal"]
    assert alphas[:, 1:4].mean() > alphas[:, 4:].mean() + 0.01
    with_term, without = (sum(op in cheap for op, _ in Genotype.of(tmp_path / name / "genotype.json").normal) for name in ("dear", "other"))
    assert with_term == 8 and without < 8


def test_second_order_partial_channels_and_cifar(tmp_path):
    for name in [*(f"data_batch_{i}.bin" for i in range(1, 6)), "test_batch.bin"]:
        records = np.random.default_rng(len(name)).integers(0, 256, (4, 3073), dtype=np.uint8)
        records[:, 0] %= 10
        records.tofile(tmp_path / name)
    code = main(["run", "--out", str(tmp_path / "run"), "--data", f"cifar10:{tmp_path}", "--arch", ARCH, "--channels", "4", "--partial", "2",
                 "--second-order", "--search-epochs", "1", "--warmup", "0", "--search-batch", "5", "--epochs", "1", "--hardware", "none",
                 "--mode", "analytic", "--bits-per-cell", "1"])
    report = json.loads((tmp_path / "run" / "report.json").read_text())
    assert code == 0 and report["machine"]["images"] == 4 and report["train_images"] == 20
    assert [row["width"] for row in report["machine"]["slices"]] == [1, 1, 1, 1]


@pytest.mark.parametrize("regulariser", ["l1", "bitslice-l1"])
def test_a_given_network_is_trained_sparser(regulariser, tmp_path, capsys):
    code = main(["train", "--out", str(tmp_path / "run"), "--network", str(cli.MLP), "--arch", ARCH, "--regulariser", regulariser,
                 "--strength", "3e-3", "--epochs", "6"])
    out = capsys.readouterr().out
    report = json.loads((tmp_path / "run" / "report.json").read_text())
    assert code == 0 and "accuracy, machine" in out and report["machine"]["top1"] > 0.93
    table = cli.succeed("slices", "--arch", ARCH, "--network", tmp_path / "run" / "network.onnx").out.split("\n\n")[0]
    assert [line.split() for line in table.splitlines()] == [line.split() for line in out.rstrip().splitlines()[-7:]]
    before = nonzero_ratios(quantise(onnx_module.load(cli.MLP)), 2)
    after = [2 * row["nonzero_ratio"] for row in report["machine"]["slices"]]  # of two arrays for each weight
    assert after[1] < 0.7 * before[1]


def test_training_learns_and_calibration_alone_changes_no_weight(tmp_path):
    images = data.digits().first(512, 100)
    torch.manual_seed(1)
    module = quantise(torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 32), torch.nn.ReLU(), torch.nn.Linear(32, 10)), Bits(4, 4))
    fit(module, images, Training(epochs=20, learning_rate=1e-2, regulariser="none"))
    assert accuracy(module, images.test_x, images.test_y) > 0.8
    code = main(["train", "--out", str(tmp_path / "run"), "--network", str(cli.CNN), "--arch", ARCH, "--epochs", "0", "--test-images", "50"])
    assert code == 0 and json.loads((tmp_path / "run" / "report.json").read_text())["machine"]["top1"] > 0.9


@pytest.mark.parametrize("arguments, said", [
    (["run", "--data", "mnist"], "data: 'mnist'; allowed: digits, cifar10:FOLDER"),
    (["run", "--data", "cifar10:nowhere"], "nowhere: has no data_batch_1.bin"),
    (["run", "--genotype", "DARTS_V9"], "DARTS_V9"), (["run", "--channels", "3"], "channels: 3; allowed: an even number"),
    (["run", "--layers", "1"], "layers: 1; allowed: 3 or more"), (["run", "--partial", "3"], "partial channels 1/3 of 8"),
    (["run", "--epochs", "-1"], "epochs: -1; allowed: 0 to"), (["run", "--regulariser", "l2"], "regulariser: 'l2'; allowed: none, l1"),
    (["run", "--strength", "nan"], "strength: nan"), (["run", "--weight-bits", "9"], "bits of weights: 9; allowed: 1 to 7"),
    (["run", "--bits-per-cell", "0"], "bits per cell: 0"), (["run", "--hardware", "gpu"], "hardware: 'gpu'; allowed: lut, oracle, none"),
    (["run", "--hardware-metric", "joules"], "hardware metric: 'joules'"), (["run", "--mode", "fast"], "mode: 'fast'; allowed: cycle"),
    (["run", "--arch", "none.yaml"], "none.yaml: no such file"), (["run", "--set", "adc"], "--set adc; allowed: KEY=VALUE"),
    (["run", "--set", "adc.kindd=sar"], "adc.kindd: unknown key"), (["run", "--threads", "0"], "--threads 0; allowed: 1 or more"),
    (["run", "--train-images", "1"], "training images: 1"), (["run", "--target", "0"], "target: 0.0; allowed: 0.001 to 1"), (["run", "--search-epochs", "0"], "search epochs: 0"),
    (["train", "--network", "none.onnx"], "no file 'none.onnx', and workload: unknown name 'none.onnx'"),
    (["train", "--network", "resnet20"], "resnet20: takes images of (3, 32, 32); allowed with these data: (1, 8, 8)"),
    (["run", "--device", "cuda"], "device: cuda"), (["run", "--device", "toaster"], "toaster")])
def test_bad_input_is_one_clear_error(arguments, said, tmp_path, capsys):
    if arguments[-1] == "cuda" and torch.cuda.is_available():
        pytest.skip("there is one")
    arch = [] if "--arch" in arguments else ["--arch", ARCH]
    assert main([*arguments, "--out", str(tmp_path / "run"), *arch]) in (2, 3)
    captured = capsys.readouterr()
    assert said in captured.err and captured.out == "" and "Traceback" not in captured.err
    assert captured.err.startswith("bitline.nas: error: ")


def test_a_folder_of_another_run_is_refused(undisturbed, tmp_path, capsys):
    with pytest.raises(ValueError, match=r"other settings \(channels 2, now 4; seed 1, now 5\)"):
        Run(undisturbed, dataclasses.replace(TINY, seed=5, channels=4))()
    (tmp_path / "run").mkdir()
    with open(tmp_path / "run" / ".lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert main(["run", "--out", str(tmp_path / "run"), "--arch", ARCH]) == 2
    assert "another run works here" in capsys.readouterr().err
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "search.pt").write_bytes(b"PK\x03\x04 no checkpoint")
    with pytest.raises(ValueError, match="search.pt: not a checkpoint"):
        Run(tmp_path / "broken", TINY)()


def test_a_loss_that_is_not_finite_stops(tmp_path):
    images = data.digits().first(64, 10)
    images.train_x[5] = float("nan")
    with pytest.raises(ArithmeticError, match="train: the loss is not finite.*remedy"):
        fit(quantise(torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 10))), images, Training(epochs=1))


def test_a_target_moves_the_strength_until_the_share_is_reached():
    images = data.digits().first(512, 10)
    for target in (0.2, 0.4):
        torch.manual_seed(1)
        module = quantise(torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 10)))
        fit(module, images, Training(epochs=25, strength=1e-4, target=target))
        assert np.mean(nonzero_ratios(module, 2)) == pytest.approx(target, rel=0.2)


def test_a_checkpoint_holds_the_random_generators(tmp_path):
    checkpoint.seed_all(5)
    checkpoint.save(tmp_path / "c.pt", {"value": 7})
    drawn = random.random(), np.random.rand(), float(torch.rand(()))
    assert checkpoint.load(tmp_path / "c.pt", torch.device("cpu")) == {"value": 7}
    assert drawn == (random.random(), np.random.rand(), float(torch.rand(())))
    assert checkpoint.load(tmp_path / "none.pt", torch.device("cpu")) is None


def test_help_has_examples(capsys):
    for words in (["--help"], ["run", "--help"], ["train", "--help"]):
        with pytest.raises(SystemExit) as stopped:
            main(words)
        assert stopped.value.code == 0 and "examples:" in capsys.readouterr().out
