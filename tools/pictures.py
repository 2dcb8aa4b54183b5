"""
Record a real `pulumi up` of one model and of a fleet from a pseudo-terminal: SVG, light and dark, in docs/pictures.

The picture is the screen at two moments: while it waits, and when it is over.
"""

import fcntl
import io
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
from pathlib import Path

import pyte
from demo import ROOT, environment, find_cli
from rich.console import Console
from rich.terminal_theme import DEFAULT_TERMINAL_THEME, SVG_EXPORT_THEME
from rich.text import Text

from nugen_pulumi.emulator import Emulator

PICTURES = ROOT / "docs" / "pictures"
ROWS, COLUMNS = 24, 132
THEMES = {"light": DEFAULT_TERMINAL_THEME, "dark": SVG_EXPORT_THEME}


def text_of(screen: pyte.Screen) -> Text:
    """Return what a screen shows, with its colours, without the blank lines at its end."""
    shown = Text()
    for row in range(screen.lines):
        for column in range(screen.columns):
            cell = screen.buffer[row][column]
            colour = {"default": "", "brown": "yellow"}.get(cell.fg, cell.fg)
            if len(colour) == 6 and all(c in "0123456789abcdef" for c in colour):
                colour = f"#{colour}"
            style = " ".join(
                word for word in ("bold" if cell.bold else "", colour.replace("bright", "bright_")) if word
            )
            shown.append(cell.data, style)
        shown.append("\n")
    shown.rstrip()
    return shown


def record(command: list[str], folder: Path, env: dict[str, str], moment: str) -> tuple[Text, Text]:
    """Run *command* in a terminal; return the screen when a row being created last showed *moment*, and at the end."""
    screen = pyte.Screen(COLUMNS, ROWS)
    stream = pyte.ByteStream(screen)
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    process = subprocess.Popen(command, cwd=folder, env={**env, "TERM": "xterm-256color"}, stdin=theirs, stdout=theirs)
    os.close(theirs)
    during = Text()
    while True:
        try:
            data = os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        stream.feed(data)
        if any("creating" in line and moment in line for line in screen.display):
            during = text_of(screen)
    if process.wait():
        sys.exit("\n".join(screen.display))
    return during, text_of(screen)


def draw(name: str, title: str, text: Text) -> None:
    """Write the pictures of one screen."""
    for kind, theme in THEMES.items():
        console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor")
        console.print(text)
        svg = console.export_svg(title=title, theme=theme, unique_id=f"{name}-{kind}")
        (PICTURES / f"{name}-{kind}.svg").write_text("\n".join(line.rstrip() for line in svg.splitlines()) + "\n")


def main() -> None:
    """Record both."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    cli = find_cli()
    # The pictures are of the README's own programs; the fleet's with more models than anybody wants to read there.
    model, fleet = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    fleet, replaced = re.subn(r"model_ids=\[.*?\]", 'model_ids=[f"model-{n}" for n in range(400)]', fleet)
    assert replaced == 1, "the README's fleet is not what it was"  # noqa: S101 - better than a wrong picture
    programs = {"model": model, "fleet": fleet}
    moments = {"model": "PENDING", "fleet": " pending"}
    with Emulator(models="any", undeploy_seconds=4) as api:
        for name, program in programs.items():
            folder = Path(tempfile.mkdtemp())
            (folder / "Pulumi.yaml").write_text("name: bots\nruntime: python\n")
            (folder / "__main__.py").write_text(program)
            env = {
                **environment(cli, api.url),
                "PULUMI_HOME": str(folder / "home"),
                "PULUMI_BACKEND_URL": folder.as_uri(),
            }
            subprocess.run(["pulumi", "stack", "init", "dev"], cwd=folder, env=env, check=True, capture_output=True)
            during, end = record(["pulumi", "up", "--yes", "--skip-preview"], folder, env, moments[name])
            draw(f"{name}-waiting", "pulumi up", during)
            draw(f"{name}-done", "pulumi up", end)
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
