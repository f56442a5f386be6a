# SPDX-License-Identifier: Apache-2.0
"""The frame of a figure of accuracy, in per cent, over something: SVG, 520 x 300."""

COLOURS = ("#1f6fb2", "#c2571a")


def x(share):
    """Where a share of the horizontal axis lies."""
    return 60 + share * 400


def y(accuracy):
    return 250 - min(max(accuracy, 0), 1) * 220


def svg(ticks, label, parts):
    """`ticks`: {text: share of the axis}; `parts`: what is drawn on the frame."""
    frame = ['<svg xmlns="http://www.w3.org/2000/svg" width="520" height="300" font-family="sans-serif" '
             'font-size="12">', '<rect width="520" height="300" fill="white"/>']
    for percent in range(0, 101, 20):
        at = y(percent / 100)
        frame.append(f'<path d="M60 {at:g}H460" stroke="#ddd"/><text x="52" y="{at + 4:g}" '
                     f'text-anchor="end">{percent} %</text>')
    frame += [f'<text x="{x(share):.1f}" y="270" text-anchor="middle">{text}</text>' for text, share in ticks.items()]
    frame.append(f'<text x="260" y="290" text-anchor="middle">{label}</text>')
    return "\n".join([*frame, *parts, "</svg>"]) + "\n"


def line(points, colour):
    """`points`: (share of the axis, accuracy)."""
    joined = " ".join(f"{x(share):.1f},{y(accuracy):.1f}" for share, accuracy in points)
    return f'<polyline points="{joined}" fill="none" stroke="{colour}" stroke-width="2"/>'


def legend(left, index, text):
    return f'<text x="{left}" y="{200 + 18 * index}" fill="{COLOURS[index]}">{text}</text>'
