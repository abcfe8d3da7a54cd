"""All pages of the site: those written in docs/, and those made from code, spec and other files."""

from __future__ import annotations

from pathlib import Path

import cli_page
import client_page
import errors_page
import log_stream_page
import models_page
import repository_page
import rest_page

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
MADE = {
    "reference/client.md": client_page.page,
    "reference/exceptions.md": errors_page.page,
    "reference/models.md": models_page.page,
    "reference/command-line.md": cli_page.page,
    "reference/rest-api.md": rest_page.page,
    "reference/log-stream.md": log_stream_page.page,
    "changelog.md": repository_page.changelog,
    "security.md": repository_page.security,
}
SPECS = ("openapi.yaml", "log-stream.yaml")


def write(folder: Path) -> None:
    """Put all pages into a folder, and nothing else."""
    wanted = write_written(folder)
    for name, page in MADE.items():
        wanted.add(put(folder / name, page().encode()))
    for name in SPECS:
        wanted.add(put(folder / "reference" / name, (ROOT / "spec" / name).read_bytes()))
    for path in [path for path in folder.rglob("*") if path.is_file() and path not in wanted]:
        path.unlink()


def write_written(folder: Path) -> set[Path]:
    """Put the pages of docs/ into a folder."""
    files = [path for path in DOCS.rglob("*") if path.is_file()]
    return {put(folder / path.relative_to(DOCS), path.read_bytes()) for path in files}


def put(path: Path, data: bytes) -> Path:
    # Do not touch an unchanged file: the development server would build it again.
    if not path.exists() or path.read_bytes() != data:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return path
