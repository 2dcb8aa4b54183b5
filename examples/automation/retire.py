"""
Retire models from cron or CI: nothing to type, no question asked.

Exit code 0: all of them are out of service. 1: at least one is not, and the table says why.
"""

import argparse
import os
import shutil
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pulumi import automation as auto
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from nugen_pulumi import UndeployedModel

STATE = Path(__file__).resolve().parent / ".state"
OURS = "nugen:UndeployedModel::"  # in a URN, before the resource's name


@dataclass
class Row:
    """What the events told of one model."""

    status: str = "?"
    since: str = ""
    error: str = "not reached"


class Events:
    """Turns the engine's events into rows and a moving bar."""

    def __init__(self, model_ids: list[str], progress: Progress) -> None:
        self.rows = {model_id: Row() for model_id in model_ids}
        self.other_errors: list[str] = []
        self.explained = False
        self._progress = progress
        self._task = progress.add_task("Retiring", total=len(model_ids), news="")

    def __call__(self, event: auto.EngineEvent) -> None:
        """Take one event."""
        if said := event.diagnostic_event:
            self._said(said)
        elif done := event.res_outputs_event or event.res_op_failed_event:
            self._done(done.metadata, failed=event.res_op_failed_event is not None)

    def _said(self, said: auto.DiagnosticEvent) -> None:
        model_id = (said.urn or "").partition(OURS)[2]
        # The engine's own list of one, in front of the sentence, when it keeps what is known.
        text = said.message.strip().removeprefix("1 error occurred:\n\t* ")
        if said.ephemeral:
            self._progress.update(self._task, news=f"{model_id} {text}")
        elif said.severity == "error" and text != "update failed":
            self.explained = True
            if model_id in self.rows:
                self.rows[model_id].error = text
            else:
                self.other_errors.append(text)

    def _done(self, step: auto.StepEventMetadata, *, failed: bool) -> None:
        row = self.rows.get(step.urn.partition(OURS)[2])
        # Each `up` starts with a refresh; what counts is what comes after.
        if row is None or (step.op == auto.OpType.REFRESH and not failed):
            return
        outputs: dict[str, Any] = dict((step.new and step.new.outputs) or {})
        row.status = outputs.get("status") or "?"
        if outputs.get("undeployed"):
            # A model that had been undeployed before says FAILED, and no time.
            row.status, row.since = "undeployed", outputs.get("end_time") or ""
        if not failed:
            row.error = ""
        self._progress.update(self._task, advance=1, news="")


def retire(model_ids: list[str], *, stack: str, work_dir: Path, console: Console) -> bool:
    """Undeploy the models, show how it goes and how it ended, and tell whether all are out of service."""

    def program() -> None:
        for model_id in model_ids:
            UndeployedModel(model_id, model_id=model_id, undeploy=True)

    work_dir.mkdir(parents=True, exist_ok=True)
    options = auto.LocalWorkspaceOptions(
        project_settings=auto.ProjectSettings(
            name="nugen-retire", runtime="python", backend=auto.ProjectBackend(url=work_dir.as_uri())
        ),
        env_vars={
            # An inline program has no virtual environment in the engine's eyes: the provider's Python is this one.
            "PULUMI_PYTHON_CMD": sys.executable,
            # Nothing in this state is a secret: the API key stays in the environment.
            "PULUMI_CONFIG_PASSPHRASE": os.environ.get("PULUMI_CONFIG_PASSPHRASE", ""),
        },
    )
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[news]}", markup=False),
    )
    with Progress(*columns, console=console) as progress:
        events = Events(model_ids, progress)
        try:
            # With a refresh: somebody may have deployed a model again since the last time.
            auto.create_or_select_stack(
                stack, project_name="nugen-retire", program=program, work_dir=str(work_dir), opts=options
            ).up(refresh=True, continue_on_error=True, on_event=events)
            done = True
        except auto.CommandError as error:
            done = False
            if not events.explained:  # such as a stack that is locked: the CLI's last words are all there is
                events.other_errors.append(str(error).rpartition("stderr:")[2].strip())

    table = Table("Model", "Status", "Since", "Error")
    for model_id, row in events.rows.items():
        table.add_row(*map(escape, (model_id, row.status, row.since, row.error)))
    console.print(table)
    for error in events.other_errors:
        console.print(error, markup=False)
    return done


def main() -> int:
    """Read the command line, and retire what it names."""
    parser = argparse.ArgumentParser(description="Take Nugen models out of service. The key is in NUGEN_API_KEY.")
    parser.add_argument("model_ids", nargs="+", metavar="MODEL_ID")
    parser.add_argument("--stack", default="retire", help="the Pulumi stack (default: %(default)s)")
    parser.add_argument("--work-dir", type=Path, default=STATE, help="where its state is kept (default: %(default)s)")
    options = parser.parse_args()
    console = Console()
    if shutil.which("pulumi") is None:
        console.print("There is no Pulumi CLI on PATH: https://www.pulumi.com/docs/install/")
        return 1
    # Ctrl-C reaches the engine, too: it ends the waits, keeps what is known, and its events still make the table.
    signal.signal(signal.SIGINT, lambda *_: None)
    model_ids = list(dict.fromkeys(options.model_ids))
    done = retire(model_ids, stack=options.stack, work_dir=options.work_dir.resolve(), console=console)
    return 0 if done else 1


if __name__ == "__main__":
    sys.exit(main())
