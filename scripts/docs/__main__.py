"""The documentation's site: `make docs` builds it into site/, `make docs-serve` shows it while it is written.

    python scripts/docs build [--strict]       makes site/ anew
    python scripts/docs pages FOLDER           writes what it is made of, without building it
    python scripts/docs serve [--port 8001]    serves it on this machine, as it is written

Pages come from docs/ and, where code or spec tell all there is, from here.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import llms
import pages

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "site"
WORK = ROOT / ".cache" / "docs"
CONFIG = Path(__file__).with_name("mkdocs.yml")


def prepare() -> None:
    WORK.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(CONFIG, WORK / CONFIG.name)
    shutil.copyfile(CONFIG.with_name("griffe_docstrings.py"), WORK / "griffe_docstrings.py")
    pages.write(WORK / "docs")


def build(*, strict: bool) -> int:
    prepare()
    shutil.rmtree(WORK / "site", ignore_errors=True)
    # What is kept from before knows nothing of changed docstrings.
    command = [*zensical("build"), "--clean", *(["--strict"] if strict else [])]
    code = subprocess.run(command, cwd=WORK, check=False).returncode
    if code == 0:
        llms.write(WORK / "docs", WORK / "site", CONFIG)
        shutil.rmtree(SITE, ignore_errors=True)
        (WORK / "site").rename(SITE)
    return code


def serve(port: int) -> int:
    prepare()
    done = threading.Event()

    def follow() -> None:
        while not done.wait(0.5):
            pages.write_written(WORK / "docs")

    threading.Thread(target=follow, daemon=True).start()
    try:
        command = [*zensical("serve"), "--dev-addr", f"127.0.0.1:{port}"]
        return subprocess.run(command, cwd=WORK, check=False).returncode
    except KeyboardInterrupt:
        return 0
    finally:
        done.set()


def zensical(command: str) -> list[str]:
    return [sys.executable, "-m", "zensical", command, "--config-file", str(WORK / CONFIG.name)]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python scripts/docs", description="Make the documentation's site.")
    commands = parser.add_subparsers(dest="command", required=True)
    builder = commands.add_parser("build", help="make site/ anew")
    builder.add_argument("--strict", action="store_true", help="fail at a broken link, anchor or reference")
    commands.add_parser("pages", help="write all pages, without building").add_argument("folder", type=Path)
    server = commands.add_parser("serve", help="serve it on this machine, as it is written")
    server.add_argument("--port", type=int, default=8001)
    options = parser.parse_args()
    match options.command:
        case "build":
            return build(strict=options.strict)
        case "serve":
            return serve(options.port)
        case _:
            pages.write(options.folder)
            return 0


if __name__ == "__main__":
    sys.exit(main())
