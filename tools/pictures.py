"""
Film a real `pulumi up` of one model, of a swap and of a fleet: an animated SVG of each, light and dark, in
docs/pictures. With arguments, only the films of these names.

Pulumi runs in a pseudo-terminal, against the emulator. Of all that its screen showed a film keeps the telling moments,
each for as long as it takes to read, and says above them what is to be seen.
"""

import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from animation import THEMES, Frame, draw
from demo import ROOT, environment, find_cli
from terminal import Key, Screen, Terminal

from nugen_pulumi.emulator import Emulator

PICTURES = ROOT / "docs" / "pictures"
README = (ROOT / "README.md").read_text()
REFERENCE = (ROOT / "docs" / "reference.md").read_text()
ROWS = 24
UP = ["pulumi", "up", "--yes", "--skip-preview"]
CTRL_C = b"\x03"


@dataclass(frozen=True)
class Shot:
    """
    A part of a film. It begins with the first screen that it matches, and ends where the next one begins.

    Attributes:
        shows: A regular expression that the text of its screens matches.
        title: What is written above it.
        seconds: How long it is shown.
        frames: How many of its screens are shown in this time: the first one, and others evenly up to the last one.
    """

    shows: str
    title: str
    seconds: float
    frames: int = 1


@dataclass(frozen=True)
class Film:
    """
    What is run, and what of it is shown.

    Attributes:
        name: The beginning of its files' names.
        alt: What it shows, for who cannot see it.
        columns: How wide the terminal is.
        runs: Each `pulumi up`: the program, and the exit status.
        key: A key that is pressed during the first one, or None.
        shots: What is shown.
    """

    name: str
    alt: str
    columns: int
    runs: tuple[tuple[str, int], ...]
    key: Key | None
    shots: tuple[Shot, ...]


def films() -> list[Film]:
    """Return the films. They are of the pages' own programs; the fleet's has more models than are good to read."""
    [model] = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    fleet, deployed = re.findall(r"```python\n(.*?)```", REFERENCE, re.DOTALL)[:2]
    ids = 'model_ids=["fail-bot", *(f"bot-{n}" for n in range(1, 40))]'
    fleet, replaced = re.subn(r"model_ids=\[.*?\]", ids, fleet)
    assert replaced == 1, "the page's fleet is not what it was"  # noqa: S101 - better than a wrong picture
    swapped = deployed.replace("new-support-bot", "new-support-bot-v2")
    request = "pulumi up requests the undeployment once, and waits until it is finished"
    resume = "The next pulumi up continues to wait: the request is not sent again"
    wait = "A fleet of 40 models is one resource and one row; all are waited for at the same time"
    return [
        Film(
            name="model",
            alt="pulumi up of one model: PENDING, Ctrl-C, pulumi up again, COMPLETED",
            columns=102,  # so that the long line breaks between two words
            runs=((model, 1), (model, 0)),
            key=Key(r"creating \(3s\).*PENDING", CTRL_C),
            shots=(
                Shot(r"\$ pulumi up .*\Z", request, 1),
                Shot("creating .*PENDING", request, 4, frames=4),
                Shot(r"failed\*\*[^$]*\^C received", "Ctrl-C ends the wait at once", 2.5),
                Shot(r"Duration: \d", "State keeps what is known", 4),
                Shot(r"\$ pulumi up .*\Z", resume, 1),
                Shot("updating .*PENDING", resume, 4, frames=4),
                Shot(r'status +: "COMPLETED"[^$]*Duration', "COMPLETED: status, result and times are outputs", 5),
            ),
        ),
        Film(
            name="swap",
            alt="pulumi up deploys a model; with another model_id, the new one first, and then undeploys the old one",
            columns=126,  # so that the status is not cut
            runs=((deployed, 0), (swapped, 0)),
            key=None,
            shots=(
                Shot(r"\$ pulumi up .*\Z", "pulumi up deploys the model, and waits until it is in service", 1),
                Shot(
                    "creating .*PENDING", "pulumi up deploys the model, and waits until it is in service", 3, frames=3
                ),
                Shot(r"Duration: \d", "It is in service for as long as the resource exists", 3),
                Shot(r"\$ pulumi up .*\Z", "Now model_id is another one: a swap", 2),
                Shot("creating replacement.*PENDING", "The new model is deployed first", 3, frames=3),
                Shot("deleting original.*PENDING", "Only then is the old one undeployed: there is no gap", 3, frames=3),
                Shot(r"Duration: \d", "The command ends when the old model is out of service", 4),
            ),
        ),
        Film(
            name="fleet",
            alt="pulumi up of a fleet of 40 models: 39 are undeployed, one FAILED, and a message names it",
            columns=104,  # so that the count is not cut
            runs=((fleet, 1),),
            key=None,
            shots=(
                Shot(r"\$ pulumi up .*\Z", wait, 1),
                Shot(r"creating .*\d+ of 40 undeployed", wait, 6, frames=6),
                Shot(r"Duration: \d", "At the end one message names what is left, and why", 6),
            ),
        ),
    ]


def cut(screens: Sequence[Screen], shots: Sequence[Shot]) -> list[Frame]:
    """Return the frames of a film: of each of *shots* as many of its screens as it asks for."""
    taken: list[list[Screen]] = []
    for screen in screens:
        if len(taken) < len(shots) and re.search(shots[len(taken)].shows, screen.text):
            taken.append([])
        if taken and re.search(shots[len(taken) - 1].shows, screen.text):
            taken[-1].append(screen)
    if len(taken) < len(shots):
        sys.exit(f"Nothing was seen of {shots[len(taken)].shows!r}:\n\n{screens[-1].text}")
    frames = []
    for shot, those in zip(shots, taken, strict=True):
        count = min(shot.frames, len(those))
        kept = [those[number * (len(those) - 1) // max(count - 1, 1)] for number in range(count)]
        frames += [Frame(screen.lines, shot.title, shot.seconds / count) for screen in kept]
    return frames


def record(film: Film, cli: str, api: str) -> list[Screen]:
    """Run what *film* is about; return all that the terminal showed."""
    project = re.findall(r"^name: \w+$", README, re.MULTILINE)[0]
    terminal = Terminal(film.columns, ROWS)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        (folder / "Pulumi.yaml").write_text(f"{project}\nruntime: python\n")
        env = {**environment(cli, api), "PULUMI_HOME": str(folder / "home"), "PULUMI_BACKEND_URL": folder.as_uri()}
        subprocess.run(["pulumi", "stack", "init", "dev"], cwd=folder, env=env, check=True, capture_output=True)
        for number, (program, status) in enumerate(film.runs):
            (folder / "__main__.py").write_text(program)
            ended = terminal.run(UP, folder, env, None if number else film.key)
            if ended != status:
                sys.exit(f"`pulumi up` ended with {ended} instead of {status}:\n\n{terminal.screens[-1].text}")
    return terminal.screens


def main() -> None:
    """Make them all."""
    cli = find_cli()
    with Emulator(models="any", undeploy_seconds=20) as api:
        for number in range(1, 40):  # one after the other, as it happens
            api.add(f"bot-{number}", undeploy_seconds=number / 5)
        api.add("fail-bot", undeploy_seconds=4, fails="Undeployment failed and was reverted to DEPLOYED status")
        for film in [film for film in films() if film.name in (sys.argv[1:] or film.name)]:
            frames = cut(record(film, cli, api.url), film.shots)
            for theme in THEMES:
                svg = draw(frames, film.columns, theme, film.alt)
                (PICTURES / f"{film.name}-{theme}.svg").write_text(svg)


if __name__ == "__main__":
    main()
