"""llms.txt: the site's contents for programs that read, and each hand-written page as Markdown beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

SUMMARY = (
    "Typed Python client (sync and async) and command line for Synapse agents, the HTTP gateways in front of"
    " Ray clusters: jobs, plugins, resources, and log tails that resume. An agent comes with it."
)
FRONT_MATTER = re.compile(r"\A---\n(.*?)\n---\n", re.DOTALL)


def write(docs: Path, site: Path, config: Path) -> None:
    """Put llms.txt at the site's root, and the pages it names where they are not HTML."""
    nav = yaml.load(config.read_text(), Loader=Lenient)["nav"]
    lines = ["# synapse-sdk", "", f"> {SUMMARY}", ""]
    for title, pages in sections(nav):
        lines += [f"## {title}", ""]
        for name, path in pages:
            text = (docs / path).read_text()
            if re.search(r"^::: ", text, re.MULTILINE):
                target = f"{path.removesuffix('.md')}/index.html"
            else:
                target = path
                (site / path).parent.mkdir(parents=True, exist_ok=True)
                (site / path).write_text(FRONT_MATTER.sub("", text).lstrip())
            lines.append(f"- [{name}]({target}): {description(path, text)}")
        lines.append("")
    (site / "llms.txt").write_text("\n".join(lines))


class Lenient(yaml.SafeLoader):
    """Reads the config without making the objects that its tags ask for."""


Lenient.add_multi_constructor("tag:yaml.org,2002:python/", lambda *_: None)


def sections(nav: list[Any]) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    start: list[tuple[str, str]] = []
    rest: list[tuple[str, list[tuple[str, str]]]] = []
    for entry in nav:
        ((title, value),) = entry.items()
        if isinstance(value, str):
            start.append((title, value))
        else:
            rest.append((title, [next(iter(page.items())) for page in value]))
    yield "Start", start
    yield from rest


def description(path: str, text: str) -> str:
    """Return the description in the page's front matter, or its first sentence."""
    found = FRONT_MATTER.match(text)
    words = yaml.safe_load(found[1]).get("description") if found else None
    if not words:
        prose = [part for part in text.split("\n\n") if part[:1].isalpha()]
        if not prose:
            raise SystemExit(f"docs/{path} needs a description in its front matter, for llms.txt")
        words = " ".join(prose[0].split()).partition(". ")[0]
    return str(words)
