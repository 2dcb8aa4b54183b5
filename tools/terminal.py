"""A pseudo-terminal that remembers what its screen showed. Knows nothing of Pulumi and draws nothing."""

import fcntl
import os
import pty
import re
import select
import struct
import termios
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import pyte

# What is written within so many seconds is one change of the screen: no picture shows half of it.
_AT_ONCE = 0.05

# A kind that no program asks anything: answers that cross with keys are lost, and Pulumi waits five seconds for one.
_KIND = "screen-256color"


@dataclass(frozen=True)
class Run:
    """
    Characters that stand side by side and look alike.

    Attributes:
        column: Where it begins, from 0.
        text: The characters; no two spaces follow one another.
        colour: As pyte calls it: ``default``, ``green``, ``brightblack`` and so on.
        bold: Whether it is bold.
    """

    column: int
    text: str
    colour: str
    bold: bool


Line = tuple[Run, ...]


@dataclass(frozen=True)
class Screen:
    """
    What a terminal shows at one moment.

    Attributes:
        text: Its characters, without spaces at the ends of lines.
        lines: The same with colours, from the top.
    """

    text: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Key:
    """
    A key that is pressed once, when the screen shows something.

    Attributes:
        when: A regular expression that the screen's text then matches.
        sends: What the key sends.
    """

    when: str
    sends: bytes


class Terminal:
    """
    A screen, and the commands that are run on it one after the other.

    Args:
        columns: How wide it is.
        rows: How high it is.

    Attributes:
        screens: All that it showed, each different from the one before.
    """

    def __init__(self, columns: int, rows: int) -> None:
        self.screens: list[Screen] = []
        self._size = struct.pack("HHHH", rows, columns, 0, 0)
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)

    def run(self, command: list[str], folder: Path, env: Mapping[str, str], key: Key | None = None) -> int:
        """Show *command* as it is typed, run it in *folder*, press *key* when it is time; return the exit status."""
        self._show(f"\x1b[1m$ {' '.join(command)}\x1b[0m\r\n".encode())
        child, ours = pty.fork()
        if not child:
            os.chdir(folder)
            os.execvpe(command[0], command, {**env, "TERM": _KIND})  # noqa: S606 - there is no shell
        fcntl.ioctl(ours, termios.TIOCSWINSZ, self._size)
        while written := _written(ours):
            self._show(written)
            if key is not None and re.search(key.when, self.screens[-1].text):
                os.write(ours, key.sends)
                key = None
        os.close(ours)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    def _show(self, written: bytes) -> None:
        self._stream.feed(written)
        text = "\n".join(line.rstrip() for line in self._screen.display).rstrip()
        if not self.screens or text != self.screens[-1].text:
            self.screens.append(Screen(text, tuple(self._line(row) for row in range(text.count("\n") + 1))))

    def _line(self, row: int) -> Line:
        cells = [self._screen.buffer[row][column] for column in range(self._screen.columns)]
        runs, column = [], 0
        for (colour, bold), alike in groupby(cells, key=lambda cell: (cell.fg, cell.bold)):
            text = "".join(cell.data for cell in alike)
            # Spaces between runs need no drawing, and those within one would be drawn as one.
            runs += [
                Run(column + found.start(), found[0], colour, bold) for found in re.finditer(r"\S+(?: \S+)*", text)
            ]
            column += len(text)
        return tuple(runs)


def _written(terminal: int) -> bytes:
    """Return what is written until there is a pause; nothing at the end."""
    written = b""
    while not written or select.select([terminal], [], [], _AT_ONCE)[0]:
        try:
            more = os.read(terminal, 65536)
        except OSError:  # the other end is closed
            more = b""
        if not more:
            break
        written += more
    return written
