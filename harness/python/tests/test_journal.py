"""Reading along: what is there is read at once, what is not is waited for."""

import json
import os
import re
import threading
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path

import pytest

from pytest_veschub.journal import KINDS, VERSION, Entry, Journal

TIMEOUT = 30.0
START = {"kind": "start", "journal": VERSION, "listening": "127.0.0.1:1", "devices": []}


class Writer:
    """A hub's end of the pipe, and the journal that is read from the other."""

    def __init__(self) -> None:
        reading, self._pipe = os.pipe()
        self.journal = Journal(reading)

    def write(self, text: str) -> None:
        os.write(self._pipe, text.encode())

    def entry(self, kind: str, **more: object) -> None:
        self.write(json.dumps({"at": 0.5, "kind": kind, **more}) + "\n")

    def end(self) -> None:
        with suppress(OSError):
            os.close(self._pipe)


@pytest.fixture
def writer() -> Generator[Writer]:
    writer = Writer()
    yield writer
    writer.end()
    writer.journal.join()


def is_closed(entry: Entry) -> bool:
    return entry.kind == "closed"


def test_the_line_for_people_is_passed_over(writer: Writer) -> None:
    writer.write(f"listening on 127.0.0.1:1\n{json.dumps(START)}\n")
    assert writer.journal.start(TIMEOUT) == START
    assert writer.journal.entries() == []


def test_what_was_written_is_there_at_once(writer: Writer) -> None:
    for number in range(100):
        writer.entry("opened", connection=number)
        assert len(writer.journal.entries()) == number + 1


def test_a_line_in_pieces_is_one_entry(writer: Writer) -> None:
    writer.write('{"at": 0.5, "kind": "fra')
    assert writer.journal.entries() == []
    writer.write('me", "direction": "to-tool", "payload": "60ff", "later": 1}\n')
    (entry,) = writer.journal.entries()
    assert entry.is_reply
    assert entry.payload == b"\x60\xff"


def test_waiting_ends_when_enough_have_come(writer: Writer) -> None:
    writer.entry("closed", why="peer")
    writer.entry("opened")
    later = threading.Timer(0, writer.entry, ["closed"], {"why": "flooded"})
    later.start()
    found = writer.journal.wait(is_closed, 2, TIMEOUT)
    later.join()
    assert found is not None
    assert found.why == "flooded"


def test_waiting_ends_with_the_time_and_with_the_hub(writer: Writer) -> None:
    assert writer.journal.wait(is_closed, 1, 0) is None
    later = threading.Timer(0, writer.end)
    later.start()
    assert writer.journal.wait(is_closed, 1, TIMEOUT) is None
    later.join()


def test_another_version_is_refused(writer: Writer) -> None:
    writer.write(json.dumps({**START, "journal": VERSION + 1}) + "\n")
    with pytest.raises(ValueError, match="a journal of version 2, not 1"):
        writer.journal.start(TIMEOUT)


def test_every_kind_of_the_page_can_be_waited_for() -> None:
    page = (Path(__file__).parents[3] / "docs" / "journal.md").read_text(encoding="utf-8")
    table = page.split("| kind | what happened |")[1].split("\n\n")[0]
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    kinds = {kind for cell in cells for kind in re.findall(r"`([^`]+)`", cell)}
    assert kinds - {"start"} == set(KINDS)
