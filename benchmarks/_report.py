"""From stored samples to what was reached, as text. Nothing is measured here."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks._rows import (
    OURS,
    AheadOfAll,
    AtLeast,
    AtMost,
    Faster,
    Row,
    Share,
    Target,
    shown,
)

__all__ = ["Spread", "Verdict", "judged", "ratios", "report", "values"]


@dataclass(frozen=True)
class Spread:
    """The median of several rounds, and the least and most of them."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        return cls(statistics.median(values), min(values), max(values))

    def __str__(self) -> str:
        return f"{_number(self.median)} ({_number(self.least)}..{_number(self.most)})"


@dataclass(frozen=True)
class Verdict:
    """What a target asked for and what was reached; `met` is None where it was not measured."""

    target: str
    reached: str
    met: bool | None


def values(result: Mapping[str, Any], name: str, metric: str) -> Spread | None:
    """A contender's metric over the rounds."""
    found = [samples[name][metric] for samples in result["rounds"] if metric in samples.get(name, {})]
    return Spread.of(found) if found else None


def ratios(result: Mapping[str, Any], name: str, metric: str) -> Spread | None:
    """A contender's metric as a multiple of ours, taken within each round."""
    found = [
        samples[name][metric] / samples[OURS][metric]
        for samples in result["rounds"]
        if metric in samples.get(name, {}) and samples.get(OURS, {}).get(metric)
    ]
    return Spread.of(found) if found else None


def judged(row: Row, result: Mapping[str, Any]) -> list[Verdict]:
    """Compare what was reached with each of a row's targets."""
    return [_judged(row, result, target) for target in row.targets]


def _judged(row: Row, result: Mapping[str, Any], target: Target) -> Verdict:
    text = str(target)
    if isinstance(target, AtMost | AtLeast):
        value = values(result, OURS, target.metric)
        if value is None:
            return Verdict(text, _why(result, OURS), None)
        met = value.median <= target.limit if isinstance(target, AtMost) else value.median >= target.limit
        return Verdict(text, shown(target.metric, value.median), met)
    if isinstance(target, AheadOfAll):
        peers = {who.name for who in row.contenders if who.name != OURS and not who.reference}
        found = {name: ratio for name in peers if (ratio := ratios(result, name, target.metric))}
        if not found:
            return Verdict(text, "no peer was measured", None)
        nearest = min(found, key=lambda name: found[name].median)
        met = found[nearest].median > 1
        reached = f"nearest: {nearest} takes {found[nearest]} ×"
        if unmeasured := sorted(peers - set(found)):
            reached += f"; not measured: {', '.join(unmeasured)}"
        return Verdict(text, reached, met)
    name = target.of if isinstance(target, Share) else target.than
    ratio = ratios(result, name, target.metric)
    if target.metric != row.metrics[0]:
        text = f"{target.metric} {text}"
    if ratio is None:
        return Verdict(text, _why(result, name), None)
    if isinstance(target, Faster):
        return Verdict(text, f"{ratio} × faster", ratio.median >= target.times)
    share = Spread(1 / ratio.median, 1 / ratio.most, 1 / ratio.least)
    return Verdict(text, f"{share} ×", share.median <= target.share)


def _why(result: Mapping[str, Any], name: str) -> str:
    absent: Mapping[str, str] = result["absent"]
    return f"not measured: {absent.get(name) or 'not run'}"


def _number(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:.1f}"


def _table(lines: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    rows = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines]
    return [row.rstrip() for row in (rows[0], "  ".join("-" * width for width in widths), *rows[1:])]


def report(rows: Sequence[Row], stored: Mapping[str, Any]) -> str:
    """The whole of what is stored, as text: each row's contenders, then the targets."""
    results: Mapping[str, Any] = stored["rows"]
    measured = [row for row in rows if row.key in results]
    parts = [part for row in measured for part in ("", *_details(row, results[row.key]))]
    lines = [("work", "to reach", "reached", "met")]
    for row in measured:
        verdicts = judged(row, results[row.key]) or [
            Verdict("printed", _printed(row, results[row.key]), None)
        ]
        for number, verdict in enumerate(verdicts):
            met = {True: "yes", False: "NO", None: "-"}[verdict.met]
            lines.append((row.title if number == 0 else "", verdict.target, verdict.reached, met))
    parts += ["", *_table(lines), "", *_notes(stored)]
    return "\n".join(parts)


def _printed(row: Row, result: Mapping[str, Any]) -> str:
    found = [(metric, values(result, OURS, metric)) for metric in row.metrics]
    texts = [f"{_label(metric)} {shown(metric, value.median)}" for metric, value in found if value]
    return ", ".join(texts) or _why(result, OURS)


def _label(metric: str) -> str:
    return {"peak": "peak memory", "cpu": "CPU", "rate": ""}.get(metric, metric)


def _details(row: Row, result: Mapping[str, Any]) -> list[str]:
    compared = row.metrics[0]
    per = {"cpu": f"CPU a {row.unit}", "wall": f"wall a {row.unit}"}
    head = ["", *(per.get(metric) or _label(metric) or metric for metric in row.metrics)]
    if len(row.contenders) > 1:
        head.append(f"{_label(compared)}, times ours")
    lines: list[list[str]] = [head]
    for who in row.contenders:
        if who.name in result["absent"]:
            lines.append([who.name, f"not measured: {result['absent'][who.name]}", *[""] * (len(head) - 2)])
            continue
        cells = [who.name]
        for metric in row.metrics:
            value = values(result, who.name, metric)
            cells.append(shown(metric, value.median) if value else "-")
        if len(row.contenders) > 1:
            cells.append(str(ratios(result, who.name, compared) or "-"))
        lines.append(cells)
    return [f"{row.key}: {row.title}; {len(result['rounds'])} rounds", *_table(lines)]


def _notes(stored: Mapping[str, Any]) -> list[str]:
    return [
        f"{stored['machine']}; Python {stored['python']}; {stored['date']}.",
        "Times are medians over rounds. Ratios are taken within a round: median (least..most).",
    ]
