"""
A command as a resource: run when it is created, and again when it or one of its triggers changes.

A module of its own, not a part of `__main__.py`: state then holds the provider's name, not its code.
"""

import shlex
import subprocess
import uuid
from collections.abc import Sequence
from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, Resource, ResourceProvider


class CommandProvider(ResourceProvider):
    """Runs commands. What they did stays done: deleting the resource does nothing."""

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Replace the resource, which runs the command, if anything changed."""
        changed = [name for name in ("run", "triggers") if olds.get(name) != news.get(name)]
        return DiffResult(changes=bool(changed), replaces=changed)

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Run the command, and fail if it does."""
        done = subprocess.run(props["run"], capture_output=True, text=True, check=False)  # noqa: S603 - that is its job
        if done.returncode:
            raise RuntimeError(f"`{shlex.join(props['run'])}` ended with {done.returncode}: {done.stderr.strip()}")
        return CreateResult(str(uuid.uuid4()), {**props, "stdout": done.stdout.strip()})


class Command(Resource, module="example", name="Command"):
    """
    A command that was run.

    Args:
        resource_name: The name of the resource in the stack.
        opts: The usual options of a Pulumi resource.
        run: The program and its arguments; no shell.
        triggers: Values whose change runs it again.
    """

    stdout: pulumi.Output[str]
    """What it wrote."""

    def __init__(
        self,
        resource_name: str,
        opts: pulumi.ResourceOptions | None = None,
        *,
        run: Sequence[pulumi.Input[str]],
        triggers: Sequence[pulumi.Input[Any]] = (),
    ) -> None:
        props = {"run": list(run), "triggers": list(triggers), "stdout": None}
        super().__init__(CommandProvider(), resource_name, props, opts)
