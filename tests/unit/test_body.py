"""The framing of an HTTP/1.1 body: whatever reads it comes in, the same body comes out."""

from __future__ import annotations

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synapse_sdk.streaming._body import Body, BrokenBodyError

CHUNKED = {"transfer-encoding": "chunked"}

blocks = st.lists(st.binary(min_size=1, max_size=40), max_size=8)
cuts = st.lists(st.integers(0, 500), max_size=20)


def split(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({cut for cut in cuts if 0 < cut < len(data)})
    return [data[start:end] for start, end in zip([0, *places], [*places, len(data)], strict=True)]


def chunked(blocks: list[bytes], extension: bytes = b"", trailer: bytes = b"") -> bytes:
    parts = [b"%x%s\r\n%s\r\n" % (len(block), extension, block) for block in blocks]
    return b"".join([*parts, b"0\r\n", trailer, b"\r\n"])


@given(blocks, cuts, st.sampled_from([b"", b";a=b", b" "]), st.sampled_from([b"", b"x: y\r\n"]))
def test_chunks_cut_anywhere(blocks: list[bytes], cuts: list[int], extension: bytes, trailer: bytes) -> None:
    body = Body(CHUNKED)
    received = b""
    for data in split(chunked(blocks, extension, trailer), cuts):
        assert body.cut
        received += body.receive(data)
    assert received == b"".join(blocks)
    assert body.ended
    assert not body.cut


@given(blocks, cuts, st.integers(0, 400))
def test_a_cut_body_gives_what_came_and_says_so(blocks: list[bytes], cuts: list[int], length: int) -> None:
    data = chunked(blocks)
    body = Body(CHUNKED)
    received = b"".join(body.receive(part) for part in split(data[: min(length, len(data) - 1)], cuts))
    assert b"".join(blocks).startswith(received)
    assert body.cut


@given(st.binary(max_size=60), cuts)
def test_garbage_is_refused_or_waited_on_as_h11_does(data: bytes, cuts: list[int]) -> None:
    ours: list[bytes] = []
    body = Body(CHUNKED)
    try:
        for part in split(data, cuts):
            ours.append(body.receive(part))
    except BrokenBodyError:
        return
    connection = h11.Connection(h11.CLIENT)
    connection.send(h11.Request(method="GET", target="/", headers=[("host", "a")]))
    connection.send(h11.EndOfMessage())
    connection.receive_data(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + data)
    theirs: list[bytes] = []
    try:
        while (event := connection.next_event()) not in (h11.NEED_DATA, h11.PAUSED):
            if isinstance(event, h11.Data):
                theirs.append(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage):
                break
    except h11.RemoteProtocolError:
        pass  # it is stricter about extensions and trailers
    assert b"".join(ours).startswith(b"".join(theirs))


@pytest.mark.parametrize("size", [b"-1", b"+1", b"0x1", b"1_0", b"", b"g", b"1" * 17, b"\xd9\xa1"])
def test_an_impossible_chunk_size_is_refused(size: bytes) -> None:
    with pytest.raises(BrokenBodyError, match="chunk"):
        Body(CHUNKED).receive(size + b"\r\nx\r\n")


def test_a_chunk_longer_than_it_says_is_refused() -> None:
    with pytest.raises(BrokenBodyError, match="longer"):
        Body(CHUNKED).receive(b"1\r\nabc\r\n")


@pytest.mark.parametrize("endless", [b"1;" + b"x" * 20_000, b"0\r\n" + b"x: y\r\n" * 20_000])
def test_lines_between_chunks_are_bounded(endless: bytes) -> None:
    with pytest.raises(BrokenBodyError, match="never ends"):
        Body(CHUNKED).receive(endless)


def test_a_length_bounds_the_body() -> None:
    body = Body({"content-length": "4"})
    assert body.receive(b"ab") == b"ab"
    assert body.cut
    assert body.receive(b"cdef") == b"cd"
    assert body.ended


@pytest.mark.parametrize("headers", [{}, CHUNKED], ids=["until close", "decoded"])
def test_without_framing_the_end_of_the_connection_ends_the_body(headers: dict[str, str]) -> None:
    body = Body(headers, decoded=bool(headers))
    assert body.receive(b"5\r\n") == b"5\r\n"
    assert not body.cut


@pytest.mark.parametrize("headers", [{"transfer-encoding": "gzip, chunked"}, {"content-length": "-1"}])
def test_framing_that_can_not_be_read_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(BrokenBodyError):
        Body(headers)
