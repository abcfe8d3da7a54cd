"""The site that `make docs` has built: whole, by itself, and with everything that is public in it."""

from __future__ import annotations

import inspect
import os
import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml
from checkout import ROOT

from synapse_sdk import streaming
from synapse_sdk.clients import exceptions
from synapse_sdk.clients.agent import AgentClient, AsyncAgentClient, models
from synapse_sdk.utils import network

BUILT = os.environ.get("SYNAPSE_TEST_SITE")
SITE = ROOT / (BUILT or "site")

pytestmark = pytest.mark.skipif(not BUILT, reason="there is no site; `make docs` builds one and runs this")


class Page(HTMLParser):
    """What a page links to, what it loads, and what can be linked to in it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.ids: set[str] = set()
        self.feed(path.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        of = {name: value or "" for name, value in attrs}
        self.ids |= {of[name] for name in ("id", "name") if name in of}
        if tag == "a" and "href" in of:
            self.links.append(of["href"])
        elif tag == "link" and of.get("rel") in {
            "stylesheet",
            "icon",
            "preconnect",
            "preload",
            "modulepreload",
        }:
            self.loads.append(of.get("href", ""))
        elif tag in {"script", "img", "iframe", "source"} and "src" in of:
            self.loads.append(of["src"])


@cache
def parsed(path: Path) -> Page:
    return Page(path)


def html() -> list[Path]:
    return sorted(SITE.rglob("*.html"))


def target_of(page: Path, link: str) -> Path:
    path = unquote(urlsplit(link).path)
    target = (SITE / path.lstrip("/")) if path.startswith("/") else (page.parent / path)
    target = target.resolve() if path else page
    return target / "index.html" if target.is_dir() else target


def test_every_link_and_anchor_is_there() -> None:
    wrong: list[str] = []
    seen = 0
    for page in html():
        for link in [*parsed(page).links, *parsed(page).loads]:
            if urlsplit(link).scheme:
                continue
            seen += 1
            target = target_of(page, link)
            anchor = unquote(urlsplit(link).fragment)
            if not target.exists() or (
                anchor and not anchor.startswith("__") and anchor not in parsed(target).ids
            ):
                wrong.append(f"{page.relative_to(SITE)}: {link}")
    assert wrong == []
    assert seen > 1000


def test_nothing_is_loaded_from_elsewhere() -> None:
    outside = [load for page in html() for load in parsed(page).loads if urlsplit(load).netloc]
    styles = [
        path
        for path in SITE.rglob("*.css")
        if re.search(r"(url\(|@import)\s*[\"']?(https?:)?//", path.read_text())
    ]
    assert outside == []
    assert styles == []


def test_llms_txt_names_every_page_and_leads_to_it() -> None:
    text = (SITE / "llms.txt").read_text()
    assert re.match(r"# synapse-sdk\n\n> .+\n\n## ", text)
    links = re.findall(r"^- \[(.+?)\]\((.+?)\): .+", text, re.MULTILINE)
    assert [link for _, link in links if not (SITE / link).is_file()] == []
    config = (ROOT / "scripts" / "docs" / "mkdocs.yml").read_text()
    nav = yaml.safe_load(config[config.index("nav:") : config.index("theme:")])["nav"]
    titles = [
        title
        for entry in nav
        for name, value in entry.items()
        for title in ([name] if isinstance(value, str) else [one for page in value for one in page])
    ]
    assert [title for title, _ in links] == titles


def test_everything_public_is_in_the_reference() -> None:
    ids = {name for page in html() for name in parsed(page).ids}
    wanted = {f"synapse_sdk.clients.agent.AgentClient.{name}" for name in vars_of(AgentClient)} | {
        f"synapse_sdk.clients.agent.AsyncAgentClient.{name}"
        for name in ("close", "aclose", "from_env", "stream_limits")
    }
    wanted |= {f"synapse_sdk.clients.exceptions.{name}" for name in exceptions.__all__}
    wanted |= {f"synapse_sdk.utils.network.{name}" for name in network.__all__}
    wanted |= {f"synapse_sdk.streaming.{name}" for name in streaming.__all__}
    wanted |= {f"synapse_agent_api.models.{name}" for name in models.__all__}
    assert wanted - ids == set()
    # What is there once for both clients is the same in both.
    assert vars_of(AsyncAgentClient) - vars_of(AgentClient) == {"aclose"}


def vars_of(client: type) -> set[str]:
    return {name for name, _ in inspect.getmembers(client) if not name.startswith("_")}


def test_every_operation_and_schema_of_the_spec_is_there() -> None:
    spec = yaml.safe_load((ROOT / "spec" / "openapi.yaml").read_text())
    operations = {
        operation["operationId"]
        for item in spec["paths"].values()
        for operation in item.values()
        if isinstance(operation, dict)
    }
    ids = parsed(SITE / "reference" / "rest-api" / "index.html").ids
    assert operations - ids == set()
    assert {name.lower() for name in spec["components"]["schemas"]} - ids == set()


def test_every_command_is_there() -> None:
    page = (SITE / "reference" / "command-line" / "index.html").read_text()
    for command in ("synapse jobs logs", "synapse plugins run-debug", "synapse login", "synapse-agent serve"):
        assert f"Usage: {command}" in page or f"usage: {command}" in page
    assert "\x1b" not in page
