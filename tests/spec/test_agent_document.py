"""Our agent serves the spec as its own document, and `make spec-pull` takes it from there."""

from __future__ import annotations

import json
import re
from pathlib import Path

import httpx
import pytest
from checkout import ROOT
from running_agent import RunningAgent

from synapse_agent.http.document_page import page
from tools.spec import agent_document
from tools.spec import document as spec_document
from tools.spec import fetch as spec_fetch
from tools.spec import pull as spec_pull

pytestmark = pytest.mark.slow


def test_the_file_is_what_the_spec_says() -> None:
    assert agent_document.main(["--check"]) == 0


def test_the_check_sees_a_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(agent_document, "TARGET", tmp_path / "openapi.json")
    assert agent_document.main(["--check"]) == 1
    assert "run `make generate`" in capsys.readouterr().err
    assert agent_document.main([]) == 0
    assert agent_document.main(["--check"]) == 0
    agent_document.TARGET.write_text("{}")
    assert agent_document.main(["--check"]) == 1


@pytest.mark.ray
def test_a_running_agent_serves_it(
    agent: RunningAgent, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(spec_fetch.TOKEN_VARIABLE, agent.token)
    served = spec_fetch.fetch(agent.url)
    ours = spec_document.read(ROOT / "spec" / "openapi.yaml")
    assert served == {**ours, "servers": [{"url": ".", "description": "This agent."}]}
    assert spec_pull.main([agent.url]) == 0
    assert capsys.readouterr().out == f"{agent.url}: 0 changes\n"


@pytest.mark.ray
def test_it_is_for_those_with_the_token(agent: RunningAgent, monkeypatch: pytest.MonkeyPatch) -> None:
    assert httpx.get(f"{agent.url.rstrip('/')}/openapi.json").status_code == 401
    monkeypatch.setenv(spec_fetch.TOKEN_VARIABLE, "wrong")
    with pytest.raises(spec_document.SpecError, match=r"answered 401; is SYNAPSE_AGENT_TOKEN set\?"):
        spec_fetch.fetch(agent.url)


@pytest.mark.ray
def test_a_browser_reads_it_as_a_page(agent: RunningAgent) -> None:
    answer = httpx.get(f"{agent.url.rstrip('/')}/docs/")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    document = spec_document.read(ROOT / "spec" / "openapi.yaml")
    names = {
        operation["operationId"]
        for item in document["paths"].values()
        for method, operation in item.items()
        if method != "parameters"
    }
    ids = re.findall(r'id="([^"]+)"', answer.text)
    assert sorted(ids) == sorted([*names, *document["components"]["schemas"]])
    assert set(re.findall(r'href="#([^"]+)"', answer.text)) <= set(ids)
    assert set(re.findall(r'(?:src|href)="([^#][^"]*)"', answer.text)) == {"../openapi.json"}
    assert agent.token not in answer.text


def test_the_page_shows_a_text_as_it_is() -> None:
    """The document may be another one some day."""
    hostile = "<script>alert(1)</script> `\"<b>` & '"
    document = json.loads(json.dumps(spec_document.read(ROOT / "spec" / "openapi.yaml")))

    def spoil(node: object) -> None:
        for key, value in list(node.items() if isinstance(node, dict) else enumerate(node)):
            if isinstance(value, dict | list):
                spoil(value)
            elif key in ("description", "summary", "title"):
                node[key] = hostile

    spoil(document)
    html = page(document)
    assert "<script" not in html
    assert "<b>" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt; <code>&quot;&lt;b&gt;</code> &amp; &#x27;" in html
