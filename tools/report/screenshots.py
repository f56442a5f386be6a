#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Pictures of the report for README.md: runs the digits CNN, makes its report, and takes it on a desktop and on a phone.

    tools/report/screenshots.py [--bitline build/release/bin/bitline] [--out tools/report/pictures]

Needs the Debian packages of tools/install-dependencies --tests.
"""

import argparse
import io
import pathlib
import subprocess
import tempfile

from PIL import Image

import browser as chromium

ROOT = pathlib.Path(__file__).resolve().parents[2]
LARGEST = 250_000
# name: (part of the page or None, height, dark, screen)
PICTURES = {
    "report-desktop": (None, 1625, False, {"width": 1280, "height": 900, "scale": 1}),
    "report-phone": (None, 1412, True, chromium.PHONE),
}


def compressed(png):
    """A PNG of 256 colours that hold all hues of the charts (an octree's; the median cut takes two for one)."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    out = io.BytesIO()
    picture.quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    assert out.tell() < LARGEST, f"{out.tell()} bytes"
    return out.getvalue()


def digits_report(bitline, folder):
    """The report of the README's first run, with four images streamed."""
    inputs = {"--arch": "configs/isaac.yaml", "--network": "workloads/digits-cnn.onnx", "--input": "workloads/digits-test-x.npy",
              "--labels": "workloads/digits-test-y.npy", "--calibrate": "workloads/digits-calibration-x.npy", "--batch": "4"}
    words = [word for pair in inputs.items() for word in pair]
    for command in (["run", *words, "--out", folder], ["report", folder]):
        subprocess.run([bitline, *command], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return pathlib.Path(folder) / "report.html"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bitline", default=str(ROOT / "build" / "release" / "bin" / "bitline"))
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "tools" / "report" / "pictures")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bitline-") as folder, chromium.Browser() as browser:
        page = digits_report(arguments.bitline, folder)
        for name, (selector, height, dark, screen) in PICTURES.items():
            browser.open(page, dark, screen)
            picture = compressed(browser.picture(selector, height))
            (arguments.out / f"{name}.png").write_bytes(picture)
            print(f"{arguments.out / name}.png: {len(picture)} bytes")


if __name__ == "__main__":
    main()
