"""
Frames of a terminal as one animated SVG. Knows nothing of Pulumi and runs nothing.

Plain SVG and CSS, so that it plays in an ``<img>``, where no script runs and no font is loaded. A line that stays the
same for some frames is drawn once. Where nothing may move or nothing can, the last frame is shown.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TypeVar
from xml.sax.saxutils import escape

from terminal import Line, Run

T = TypeVar("T")

WIDTH, HEIGHT = 8, 18  # of a character
_BASELINE = 13
_FONT_SIZE = 13.3  # a character of most monospace fonts is 0.6 of it wide
_MARGIN, _PADDING = 16, 10  # beside the text, and above and below it
_TITLE = 34

THEMES = {
    "light": {
        "paper": "#ffffff",
        "bar": "#f6f8fa",
        "edge": "#d0d7de",
        "default": "#1f2328",
        "grey": "#59636e",
        "red": "#b3202a",
        "green": "#116329",
        "yellow": "#7d4e00",
        "blue": "#0550ae",
        "magenta": "#8250df",
    },
    "dark": {
        "paper": "#0d1117",
        "bar": "#161b22",
        "edge": "#30363d",
        "default": "#e6edf3",
        "grey": "#9198a1",
        "red": "#ff7b72",
        "green": "#3fb950",
        "yellow": "#e3b341",
        "blue": "#79c0ff",
        "magenta": "#d2a8ff",
    },
}

# What a terminal calls the colours that Pulumi uses, and ours for them: its blue cannot be read on black.
_COLOURS = {
    "default": "default",
    "7f7f7f": "grey",
    "cd0000": "red",
    "ff0000": "red",
    "00cd00": "green",
    "00ff00": "green",
    "cdcd00": "yellow",
    "5c5cff": "blue",
    "ff00ff": "magenta",
    "cd00cd": "magenta",
}

_PICTURE = """\
<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img">
<title>{name}</title>
<style>
text{{white-space:pre;fill:{default}}}
.screen{{font:{size}px ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono","DejaVu Sans Mono",monospace}}
.title{{font:600 15px system-ui,-apple-system,"Segoe UI","Noto Sans","Liberation Sans",Arial,sans-serif}}
.bold{{font-weight:bold}}
{rules}
@media (prefers-reduced-motion:reduce){{*{{animation:none!important}}}}
</style>
<rect x=".5" y=".5" width="{right}" height="{bottom}" rx="8" fill="{paper}" stroke="{edge}"/>
<path d="M.5 {bar_bottom}V8.5a8 8 0 0 1 8-8H{bar_right}a8 8 0 0 1 8 8V{bar_bottom}Z" fill="{bar}" stroke="{edge}"/>
<g class="screen">
{texts}
</g>
</svg>
"""


@dataclass(frozen=True)
class Frame:
    """
    What is shown for a while.

    Attributes:
        lines: The lines of the terminal, from the top.
        title: What is written above it.
        seconds: How long it is shown.
    """

    lines: tuple[Line, ...]
    title: str
    seconds: float


@dataclass(frozen=True)
class _Stay:
    """Something that is drawn from the frame *first* up to the frame *last*, without a pause."""

    first: int
    last: int

    @property
    def name(self) -> str:
        return f"f{self.first}-{self.last}"


def draw(frames: Sequence[Frame], columns: int, theme: str, name: str) -> str:
    """Return the SVG of *frames*, in the colours of *theme*; *name* is for who cannot see it."""
    rows = max(len(frame.lines) for frame in frames)
    width, height = columns * WIDTH + 2 * _MARGIN, rows * HEIGHT + _TITLE + 2 * _PADDING
    colours = THEMES[theme]
    used = {_COLOURS[run.colour] for frame in frames for line in frame.lines for run in line} - {"default"}
    stays = _texts(frames, rows)
    return _PICTURE.format(
        **colours,
        name=escape(name),
        width=width,
        height=height,
        right=width - 1,
        bottom=height - 1,
        bar_right=width - 8.5,
        bar_bottom=_TITLE,
        size=_FONT_SIZE,
        rules="\n".join([*(f".{one}{{fill:{colours[one]}}}" for one in sorted(used)), *_moves(stays, frames)]),
        texts="\n".join(f'<g class="{stay.name}">\n{texts}\n</g>' for stay, texts in stays.items()),
    )


def _texts(frames: Sequence[Frame], rows: int) -> dict[_Stay, str]:
    """Return the texts that come and go at the same time."""
    texts: dict[_Stay, list[str]] = {}
    for stay, title in _stays([frame.title for frame in frames]):
        texts.setdefault(stay, []).append(f'<text class="title" x="{_MARGIN}" y="23">{escape(title)}</text>')
    for row in range(rows):
        for stay, line in _stays([frame.lines[row] if row < len(frame.lines) else () for frame in frames]):
            texts.setdefault(stay, []).extend(_text(run, row) for run in line)
    return {stay: "\n".join(those) for stay, those in texts.items() if those}


def _stays(things: Sequence[T]) -> Iterator[tuple[_Stay, T]]:
    """Return what is there in each frame as what stays for some."""
    first = 0
    for number, thing in enumerate(things):
        if number + 1 == len(things) or things[number + 1] != thing:
            yield _Stay(first, number), thing
            first = number + 1


def _text(run: Run, row: int) -> str:
    look = [_COLOURS[run.colour]] * (run.colour != "default") + ["bold"] * run.bold
    classes = f' class="{" ".join(look)}"' if look else ""
    x, y = _MARGIN + run.column * WIDTH, _TITLE + _PADDING + row * HEIGHT + _BASELINE
    # The columns stand below one another even if the reader's font is wider or narrower than ours.
    return f'<text{classes} x="{x}" y="{y}" textLength="{len(run.text) * WIDTH}">{escape(run.text)}</text>'


def _moves(stays: Iterable[_Stay], frames: Sequence[Frame]) -> Iterator[str]:
    """Return the rules by which things come and go."""
    ends = [0.0, *accumulate(frame.seconds for frame in frames)]
    for stay in stays:
        comes, goes = (f"{100 * ends[number] / ends[-1]:.4g}%" for number in (stay.first, stay.last + 1))
        stays_to_the_end = stay.last + 1 == len(frames)
        # What is said of no moment is what is shown without an animation: the last frame.
        steps = "0%{visibility:hidden}" if stay.first else ""
        steps += f"{comes}{{visibility:visible}}"
        steps += "" if stays_to_the_end else f"{goes}{{visibility:hidden}}"
        yield f"@keyframes {stay.name}{{{steps}}}"
        at_rest = "visible" if stays_to_the_end else "hidden"
        yield f".{stay.name}{{visibility:{at_rest};animation:{stay.name} {ends[-1]:g}s step-end infinite}}"
