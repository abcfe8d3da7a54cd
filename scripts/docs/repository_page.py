"""The pages that are files at the top of the repository as well."""

from __future__ import annotations

from pathlib import Path

from spec import header

ROOT = Path(__file__).resolve().parents[2]
LINKS = {"(CHANGELOG.md)": "(changelog.md)", "(SECURITY.md)": "(security.md)"}


def changelog() -> str:
    return page("Changelog", "What changed for users, newest version first.", "CHANGELOG.md")


def security() -> str:
    return page("Security", "Report a vulnerability; what tokens protect and what they don't.", "SECURITY.md")


def page(title: str, description: str, source: str) -> str:
    _, _, text = (ROOT / source).read_text().partition("\n")
    for link, target in LINKS.items():
        text = text.replace(link, target)
    return "\n".join(header(title, description, source=source)) + text
