"""Links, anchors and pictures of README.md and docs/, as far as they show without the built site.

`make docs` checks them once more, and the references into the code, when it builds the site.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import httpx
import pytest
from checkout import ROOT, environment
from tables import each_row

from docs.blocks import pages

pytestmark = pytest.mark.slow

DOCS = ROOT / "docs"
_LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^)\s]+)\)")
_CODE = re.compile(r"^( *)```.*?^\1```$|`[^`\n]+`", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ (.+?)(?: *\{ *#(\S+) *\})?$", re.MULTILINE)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All pages of the site, those that are made from code and spec included."""
    folder = tmp_path_factory.mktemp("docs")
    command = [sys.executable, str(ROOT / "scripts" / "docs"), "pages", str(folder)]
    subprocess.run(command, env=environment(), check=True)
    return folder


@cache
def anchors(path: Path) -> frozenset[str]:
    found = set()
    for title, explicit in _HEADING.findall(_CODE.sub("", path.read_text())):
        words = re.sub(r"[^\w\s-]", "", title.lower()).strip()
        found.add(explicit or re.sub(r"[\s]+", "-", words))
    return frozenset(found)


def links(page: Path) -> list[str]:
    return _LINK.findall(_CODE.sub(lambda code: "code" if code[0][0] == "`" else "", page.read_text()))


def test_every_page_is_in_the_navigation(made: Path) -> None:
    config = (ROOT / "scripts" / "docs" / "mkdocs.yml").read_text()
    listed = set(re.findall(r"^ +- [^:]+: (\S+\.md)$", config, re.MULTILINE))
    assert listed == {str(page.relative_to(made)) for page in made.rglob("*.md")}


SOURCES = [*pages(), *(ROOT / name for name in ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"))]


@each_row("page", SOURCES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path, made: Path) -> None:
    wrong = []
    for link in links(page):
        if link.startswith(("http://", "https://")):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if DOCS in target.parents:
            target = made / target.relative_to(DOCS)
        if not target.exists() or (anchor and anchor not in anchors(target)):
            wrong.append(link)
    assert wrong == []


def test_there_are_links_to_check() -> None:
    assert sum(len(links(page)) for page in SOURCES) > 30


@each_row("picture", sorted((DOCS / "assets").glob("*.svg")), ids=lambda path: path.name)
def test_pictures_are_used_and_tell_nothing_of_where_they_were_made(picture: Path) -> None:
    drawn = picture.read_text()
    # The first names the format; the second is in a comment of rich.
    outside = set(re.findall(r"https?://[\w.-]+", drawn))
    assert outside <= {"http://www.w3.org", "https://www.textualize.io"}
    assert "url(http" not in drawn
    assert not re.search(r"127\.0\.0\.1|Authorization|/tmp/|/home/|/root/", drawn)
    assert any(picture.name in page.read_text() for page in pages())


@pytest.mark.skipif(
    not os.environ.get("SYNAPSE_TEST_EXTERNAL_LINKS"), reason="SYNAPSE_TEST_EXTERNAL_LINKS is not set"
)
def test_external_links_answer() -> None:
    addresses = {link for page in SOURCES for link in links(page) if link.startswith("http")}
    with httpx.Client(follow_redirects=True, timeout=20) as client:
        answers = {address: client.get(address).status_code for address in sorted(addresses)}
    assert {address: status for address, status in answers.items() if status >= 400} == {}
