"""The table as a picture: bars of CPU time, for eyes, themes and screen readers of all kinds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

from benchmarks._report import Spread, ratios, values
from benchmarks._rows import OURS, Contender, Row, shown

__all__ = ["picture"]

WIDTH, PANEL, LEFT, BARS = 940, 450, 150, 160
LINE, BAR, HEAD, GAP = 22, 14, 34, 22
TOP = 74

# Blue and grey can be distinguished with every kind of colour blindness, and on light and dark backgrounds.
STYLE = """
  .ground { fill: #ffffff } .text { fill: #1f2328 } .faint { fill: #59636e }
  .peer { fill: #848d97 } .ours { fill: #0072b2 }
  .bound { fill: none; stroke: #848d97; stroke-dasharray: 3 2 } .spread { stroke: #1f2328 }
  text { font: 12px system-ui, -apple-system, "Segoe UI", sans-serif }
  .title { font-size: 17px; font-weight: 600 } .panel { font-size: 13px; font-weight: 600 }
  .strong { font-weight: 600 }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #0d1117 } .text { fill: #e6edf3 } .faint { fill: #9198a1 }
    .peer { fill: #6e7681 } .ours { fill: #56b4e9 } .bound { stroke: #9198a1 } .spread { stroke: #e6edf3 }
  }
"""


def picture(rows: Sequence[Row], stored: Mapping[str, Any]) -> str:
    """An SVG of the rows that are meant for it and were measured."""
    results: Mapping[str, Any] = stored["rows"]
    shown_rows = [row for row in rows if row.picture and row.key in results and _found(row, results[row.key])]
    parts: list[str] = []
    heights = [TOP, TOP]
    for row in shown_rows:
        column = heights.index(min(heights))
        panel, height = _panel(row, results[row.key], 15 + column * (PANEL + 10), heights[column])
        parts += panel
        heights[column] += height + GAP
    height = max(heights) + 8
    described = ". ".join(_described(row, results[row.key]) for row in shown_rows)
    note = f"{stored['machine']}, Python {stored['python']}, {stored['date']}"
    head = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
        f'height="{height}" role="img" aria-labelledby="title description">',
        '<title id="title">Client CPU time, synapse-sdk beside what one would use instead</title>',
        f'<desc id="description">{escape(described)}</desc>',
        f"<style>{STYLE}</style>",
        f'<rect class="ground" width="{WIDTH}" height="{height}"/>',
        '<text class="text title" x="15" y="28">Client CPU time: shorter is better</text>',
        '<text class="faint" x="15" y="50">Median of the rounds; the thin line: least to most. '
        "A dashed bar is a bound to measure by, no client.</text>",
    ]
    foot = [f'<text class="faint" x="{WIDTH - 15}" y="28" text-anchor="end">{escape(note)}</text>', "</svg>"]
    return "\n".join([*head, *parts, *foot]) + "\n"


def _found(row: Row, result: Mapping[str, Any]) -> list[tuple[Contender, Spread]]:
    pairs = ((who, values(result, who.name, row.metrics[0])) for who in row.contenders)
    found = [(who, spread) for who, spread in pairs if spread]
    return sorted(found, key=lambda pair: pair[1].median)


def _times(row: Row, result: Mapping[str, Any], who: Contender) -> str:
    ratio = ratios(result, who.name, row.metrics[0])
    return (
        ""
        if who.name == OURS or ratio is None
        else f"{ratio.median:.2g} ×"
        if ratio.median < 10
        else f"{ratio.median:.0f} ×"
    )


def _panel(row: Row, result: Mapping[str, Any], x: int, y: int) -> tuple[list[str], int]:
    found = _found(row, result)
    scale = BARS / max(spread.most for _, spread in found)
    parts = [
        f'<text class="text panel" x="{x}" y="{y + 14}">{escape(row.title)}</text>',
    ]
    for number, (who, spread) in enumerate(found):
        top = y + HEAD - 8 + number * LINE
        middle, begin = top + BAR / 2, x + LEFT
        kind = "ours" if who.name == OURS else "bound" if who.reference else "peer"
        strong = " strong" if who.name == OURS else ""
        width = max(spread.median * scale, 1)
        text = shown(row.metrics[0], spread.median)
        if row.unit == "line":
            text += " a line"
        times = _times(row, result, who)
        parts += [
            f'<text class="text{strong}" x="{begin - 8}" y="{top + 11}" text-anchor="end">'
            f"{escape(who.name)}</text>",
            f'<rect class="{kind}" x="{begin}" y="{top}" width="{width:.1f}" height="{BAR}" rx="2"/>',
            f'<path class="spread" d="M{begin + spread.least * scale:.1f} {middle}H'
            f'{begin + spread.most * scale:.1f}"/>',
            f'<text class="text{strong}" x="{begin + spread.most * scale + 6:.1f}" y="{top + 11}">'
            f'{escape(text)}<tspan class="faint" dx="8">{escape(times)}</tspan></text>',
        ]
    return parts, HEAD + len(found) * LINE


def _described(row: Row, result: Mapping[str, Any]) -> str:
    texts = (
        f"{who.name} {shown(row.metrics[0], spread.median)}"
        + (f", {times} ours" if (times := _times(row, result, who)) else "")
        for who, spread in _found(row, result)
    )
    return f"{row.title}: {'; '.join(texts)}"
