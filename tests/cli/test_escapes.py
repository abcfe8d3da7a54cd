"""Row 44: what a log writes can do nothing to a terminal; a pipe gets it as it is."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from streaming.scripted import Agent, Peer
from tables import each_row

from synapse_sdk.cli._sanitize import one_line, printable

pytestmark = pytest.mark.row(44)

CLIPBOARD = "\x1b]52;c;cm0gLXJmIH4=\x07"
WICKED = [
    f"clipboard {CLIPBOARD}",
    "title \x1b]0;owned\x1b\\",
    "clear \x1b[2J\x1b[1;1H",
    "colour \x1b[31mred\x1b[0m",
    "c1 \x9b2J \x9d52;c;aGk=\x9c",
    "bell \x07 back\x08space",
    "progress 10%\rprogress 99%",
    "turned \u202eround",
    "tab\tstays, and é 漢字 🙂 do",
]
SHOWN = [
    "clipboard ^[]52;c;cm0gLXJmIH4=^G",
    "title ^[]0;owned^[\\",
    "clear ^[[2J^[[1;1H",
    "colour red",
    "c1 <9B>2J <9D>52;c;aGk=<9C>",
    "bell ^G back^Hspace",
    "progress 10%^Mprogress 99%",
    "turned <U+202E>round",
    "tab\tstays, and é 漢字 🙂 do",
]


def wicked(peer: Peer) -> None:
    peer.lines(*WICKED)
    peer.complete()


@each_row(("line", "shown"), list(zip(WICKED, SHOWN, strict=True)))
def test_a_line_is_shown_and_not_obeyed(line: str, shown: str) -> None:
    assert printable(line) == shown


@given(st.text())
def test_nothing_is_left_that_a_terminal_obeys(text: str) -> None:
    for char in printable(text):
        assert char == "\t" or unicodedata.category(char) not in ("Cc", "Cs")
        assert unicodedata.bidirectional(char) not in (
            "LRE",
            "RLE",
            "LRO",
            "RLO",
            "PDF",
            "LRI",
            "RLI",
            "FSI",
            "PDI",
        )


def test_nested_escapes_make_no_new_one() -> None:
    assert "\x1b" not in printable("\x1b\x1b[31m[2J \x1b[\x1b[0m2J")


def test_a_windows_line_end_is_no_mark() -> None:
    assert printable("line\r") == "line"


def test_what_prints_anyway_is_left_alone() -> None:
    assert printable("plain [bold]text[/bold] é 漢字") == "plain [bold]text[/bold] é 漢字"


def test_a_cell_is_one_line() -> None:
    assert one_line("two\nlines\x1b[2J ") == "two lines^[[2J"


@pytest.mark.parametrize("protocol", ["websocket", "http"])
def test_a_terminal_is_not_made_to_do_anything(terminal: Any, at: Any, protocol: str) -> None:
    with Agent(wicked) as agent:
        at(agent)
        screen = terminal("jobs", "logs", "job", "-f", "--protocol", protocol)
        assert screen.exit_code() == 0
    for line in SHOWN[:-1]:
        assert line in screen.text
    assert CLIPBOARD.encode() not in screen.raw
    assert b"\x1b]" not in screen.raw
    assert b"\x1b[2J" not in screen.raw
    assert b"\x07" not in screen.raw


def test_a_terminal_gets_all_of_it_when_asked(terminal: Any, at: Any) -> None:
    with Agent(wicked) as agent:
        at(agent)
        screen = terminal("jobs", "logs", "job", "-f", "--raw")
        assert screen.exit_code() == 0
    assert CLIPBOARD.encode() in screen.raw


def test_a_pipe_gets_the_log_as_it_is(child: Any, at: Any) -> None:
    with Agent(wicked) as agent:
        at(agent)
        process = child("jobs", "logs", "job", "-f", text=False)
        out, _ = process.communicate(timeout=30)
    assert out == "".join(f"{line}\n" for line in WICKED).encode()


def test_a_job_s_prefix_can_not_be_forged(terminal: Any, at: Any) -> None:
    def forging(peer: Peer) -> None:
        peer.lines("harmless\rother | all is well")
        peer.complete()

    with Agent(forging) as agent:
        at(agent)
        screen = terminal("jobs", "logs", "job", "other", "-f", "-q")
        assert screen.exit_code() == 0
    assert "job   | harmless^Mother | all is well" in screen.text


def test_errors_and_tables_are_harmless_too(synapse: Any, at: Any) -> None:
    body = b'[{"submission_id": "\\u001b[2Jx", "status": "RUN\\u0007", "entrypoint": "a\\nb\\u001b]0;t"}]'
    with Agent(lambda peer: None) as agent:
        at(agent)
        agent.status_answers += [
            lambda peer: peer.answer(200, body),
            lambda peer: peer.answer(404, b'{"detail": "no \\u001b[2J job"}'),
        ]
        table = synapse("jobs", "list")
        error = synapse("jobs", "get", "job")
    assert "\x1b" not in table.out
    assert "^[[2Jx" in table.out
    assert "a b^[]0;t" in table.out
    assert error.code == 1
    assert "\x1b" not in error.err
