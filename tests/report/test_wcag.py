# SPDX-License-Identifier: Apache-2.0
"""WCAG 2.2 AA of all kinds of pages: contrast, names, keyboard, sizes, on a desktop and a phone, in the light and in the dark."""

import pytest

import cli
import pages

pytest.register_assert_rewrite("wcag")
import wcag  # noqa: E402

SWEEP = f"""arch: {cli.ISAAC_8BIT}
network: {cli.MLP}
mode: analytic
set: {{crossbar.active_rows: 64}}
axes:
  crossbar.rows: [32, 64, 128]
  adc.kind: [sar, flash]
objectives: [energy_j, latency_s]
"""
KINDS = ["report", "sweep", "comparison"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """{kind: page}"""
    root = tmp_path_factory.mktemp("pages")
    for name, network in (("a", cli.CNN), ("b", cli.MLP)):
        cli.run_digits(root / name, network=network)
    cli.succeed("report", root / "a", "--out", root / "report.html")
    cli.succeed("compare", root / "a", root / "b", "--html", root / "compare.html")
    (root / "s.yaml").write_text(SWEEP)
    cli.succeed("sweep", root / "s.yaml", "--out", root / "sweep", "--reports", "front")
    return {"report": root / "report.html", "sweep": root / "sweep" / "index.html", "comparison": root / "compare.html"}


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("size", ["DESKTOP", "PHONE"])
@pytest.mark.parametrize("kind", KINDS)
def test_it_can_be_read(opened, made, kind, size, dark):
    wcag.check_layout(opened, made[kind], dark, getattr(pages.chromium, size))


@pytest.mark.parametrize("kind", KINDS)
def test_it_can_be_used_without_mouse_and_screen(opened, made, kind):
    opened.open(made[kind])
    wcag.check_use(opened)


def test_what_fails_is_found(opened, made):
    opened.open(made["comparison"])
    opened.js("""(() => { const add = (html) => { const e = document.createElement('div'); e.innerHTML = html; document.getElementById('main').append(e); };
      add('<p style="color: #999">faint</p>'); add('<button style="min-height: 0; height: 20px; padding: 0"></button>'); add('<h3>a</h3><h5></h5><h2>b</h2><h4>c</h4>');
      add('<button tabindex="-1">out of reach</button>'); add('<button style="outline: none">without outline</button>'); })()""")
    assert [text for _, _, text in wcag.faint_texts(opened)] == ["faint"]
    assert len(wcag.nameless(opened)) == 1 and len(wcag.small_targets(opened)) == 1 and len(wcag.skipped_headings(opened)) == 1
    unreached, plain = wcag.unreached(opened)
    assert len(unreached) == 1 and "out of reach" in unreached[0] and len(plain) == 1
    opened.js("bitline.charts.get('ratios').key = () => {}")
    assert {chart for chart, *_ in wcag.unsaid(opened)} == {"ratios"}
