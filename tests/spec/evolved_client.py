"""Call each evolution's method on both clients, against a server that checks the request and answers.

    python evolved_client.py FOLDER

It runs by itself, because PYTHONPATH leads to another `synapse_agent_api` here. FOLDER is for files. What is
wrong is printed as JSON, by the case.
"""

from __future__ import annotations

import asyncio
import datetime
import http.server
import io
import json
import sys
import threading
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from evolution_cases import GENERATED, METHODS, Case, name_of, place_of
from werkzeug.formparser import parse_form_data

import synapse_agent_api.models as m
from synapse_agent_api.types import Model
from synapse_sdk.clients.agent import AgentClient, AsyncAgentClient
from synapse_sdk.clients.exceptions import ClientError

TOKEN = "token"


class Server:
    """Answers as the case says that is its turn, and keeps the requests that come."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.case: Case = {}
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Else each answer waits 40 ms for the acknowledgement of its head.
            disable_nagle_algorithm = True

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                outer.requests.append(
                    {
                        "method": self.command,
                        "path": unquote(self.path.partition("?")[0]),
                        "query": self.path.partition("?")[2],
                        "headers": {name.lower(): value for name, value in self.headers.items()},
                        "body": body,
                    }
                )
                status, headers, content = outer.answer(len(outer.requests) - 1)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        for method in METHODS:
            setattr(Handler, f"do_{method.upper()}", Handler.answer)
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/"
        threading.Thread(target=self._server.serve_forever, args=[0.02], daemon=True).start()

    def answer(self, number: int) -> tuple[int, dict[str, str], bytes]:
        case = self.case
        pages = case.get("pages")
        page = case if pages is None else pages[number]
        if "json" in page:
            kind = "application/json"
            content = json.dumps(page["json"]).replace("SERVER/", self.url).encode()
        else:
            kind, text = page.get("content", ("", ""))
            content = text.encode("latin-1")
        nothing = not kind and "status" not in case
        status = case.get("status", 204 if nothing else 200)
        headers = {} if status == 204 else {"Content-Length": str(len(content))}
        if kind:
            headers["Content-Type"] = kind
        return status, headers | page.get("headers", {}), content

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def parts_of(request: dict[str, Any]) -> list[list[str | None]]:
    """Return the parts of a form: the fields, then the files, each as name, file name and content."""
    environ = {
        "REQUEST_METHOD": "POST",
        "CONTENT_TYPE": request["headers"].get("content-type", ""),
        "CONTENT_LENGTH": str(len(request["body"])),
        "wsgi.input": io.BytesIO(request["body"]),
    }
    _, fields, files = parse_form_data(environ, silent=False)
    return [
        *([name, None, value] for name, value in fields.items(multi=True)),
        *([name, file.filename, file.read().decode("latin-1")] for name, file in files.items(multi=True)),
    ]


def wrong_with(request: dict[str, Any], case: Case) -> list[str]:
    """Describe what is wrong with a request."""
    method, path = place_of(case)
    wanted = {"method": method.upper(), "path": path, "query": "", **case.get("got", {})}
    wrong: list[str] = []

    def compare(what: str, found: Any, expected: Any) -> None:
        if found != expected:
            wrong.append(f"{what} is {found!r}, not {expected!r}")

    headers = request["headers"]
    for what, expected in wanted.items():
        match what:
            case "method" | "query":
                compare(what, request[what], expected)
            case "path":
                if "{" not in expected:
                    compare(what, request[what], expected)
            case "headers":
                for name, value in expected.items():
                    compare(name, headers.get(name), value)
            case "json":
                compare("the body", json.loads(request["body"] or b"null"), expected)
                compare("the type", headers.get("content-type"), wanted.get("type", "application/json"))
            case "parts":
                compare("the type", headers.get("content-type", "").partition(";")[0], "multipart/form-data")
                compare("the form", parts_of(request), expected)
            case "type":
                compare("the type", headers.get("content-type"), expected)
            case "body":
                compare("the body", request["body"], expected.encode("latin-1"))
            case _:
                raise AssertionError(f"no check of {what}")
    if not wanted.keys() & {"json", "parts", "body"}:
        compare("the body", request["body"], b"")
    return wrong


def same(result: object, expected: object) -> bool:
    return type(result) is type(expected) and result == expected


def tried(case: Case, server: Server, client: Any, run: Any, folder: Path) -> list[str]:
    """Call a case's method, and say what is wrong."""
    server.case = case
    server.requests.clear()
    out = folder / "out"
    out.write_bytes(b"was here")
    sink = io.BytesIO()
    given = folder / "from_disk.txt"
    given.write_text("from disk", encoding="utf-8")
    names = {"client": client, "m": m, "Model": Model, "datetime": datetime, "io": io}
    names |= {"FILE": str(given), "OUT": str(out), "SINK": sink}
    expected = eval(case.get("result", "None"), names)
    try:
        result = run(lambda: eval(f"client.{case['call']}", names), case)
    except ClientError as error:
        name, _, text = case.get("raises", "").partition(": ")
        if type(error).__name__ == name and text in str(error.detail):
            return wrong_out(case, out, sink)
        return [f"raised {type(error).__name__}: {error.detail}"]
    if "raises" in case:
        return [f"gave {result!r}, and should have raised {case['raises']}"]
    wrong = [] if same(result, expected) else [f"gave {result!r}, not {expected!r}"]
    if "queries" in case:
        found = [request["query"] for request in server.requests]
        return wrong if found == case["queries"] else [*wrong, f"asked {found}, not {case['queries']}"]
    (request,) = server.requests
    return [*wrong, *wrong_with(request, case), *wrong_out(case, out, sink)]


def wrong_out(case: Case, out: Path, sink: io.BytesIO) -> list[str]:
    if "out" not in case:
        return []
    found = sink.getvalue() if "SINK" in case["call"] else out.read_bytes()
    wrong = [] if found == eval(case["out"]) else [f"wrote {found!r}, not {case['out']}"]
    left = [path.name for path in out.parent.iterdir() if path.name.startswith("out") and path != out]
    return [*wrong, *(f"left {name} behind" for name in left)]


def attribute(case: Case) -> str:
    """Return what a case takes from the result: `.field`, of `get_thing().field`."""
    call = case["call"]
    return call[call.rindex(")") + 1 :]


def main() -> None:
    folder = Path(sys.argv[1])
    server = Server()
    found: dict[str, list[str]] = {}

    def synchronous(call: Any, case: Case) -> Any:
        result = call()
        return list(result) if "queries" in case else result

    def asynchronous(call: Any, case: Case) -> Any:
        async def awaited() -> Any:
            result = call()
            return [item async for item in result] if "queries" in case else await result

        return loop.run(awaited())

    with AgentClient(server.url, TOKEN, max_retries=0) as client:
        for case in GENERATED:
            found[name_of(case)] = [
                f"sync: {line}" for line in tried(case, server, client, synchronous, folder)
            ]
    with asyncio.Runner() as loop:
        other = AsyncAgentClient(server.url, TOKEN, max_retries=0)
        for case in GENERATED:
            field = attribute(case)
            bare = {**case, "call": case["call"].removesuffix(field)}

            def with_field(call: Any, case: Case, field: str = field) -> Any:
                result = asynchronous(call, case)
                return getattr(result, field[1:]) if field else result

            lines = tried(bare, server, other, with_field, folder)
            found[name_of(case)] += [f"async: {line}" for line in lines]
        loop.run(other.close())
    server.close()
    print(json.dumps(found))


if __name__ == "__main__":
    main()
