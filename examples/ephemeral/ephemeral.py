"""A model in service for one test run: up, test, destroy, whatever the test says. For cron and CI."""

import argparse
import signal
import subprocess
import sys
from pathlib import Path

import pulumi
from pulumi import automation

from nugen_pulumi import DeployedModel


def main() -> int:
    """Return the exit code of the command, or 1 if the model could not be deployed or undeployed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model_id", help="the model")
    parser.add_argument("command", nargs="+", help="behind --: the test; {} in it becomes the model's id")
    parser.add_argument("--work-dir", type=Path, default=Path(".pulumi-state"), help="where state is kept")
    args = parser.parse_args()
    args.work_dir.mkdir(exist_ok=True)
    # CI cancels a job with it: leave through `finally`.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

    def program() -> None:
        model = DeployedModel("model", model_id=args.model_id)
        pulumi.export("deployed", model.deployed)

    stack = automation.create_or_select_stack(
        "ephemeral",
        project_name="nugen-ephemeral",
        program=program,
        opts=automation.LocalWorkspaceOptions(
            env_vars={
                "PULUMI_PYTHON_CMD": sys.executable,  # the provider's Python is this one
                "PULUMI_CONFIG_PASSPHRASE": "",
                "PULUMI_BACKEND_URL": args.work_dir.resolve().as_uri(),
            },
        ),
    )
    problem = "The model could not be deployed or undeployed: the reason is above."
    try:
        return run(stack, [part.replace("{}", args.model_id) for part in args.command])
    except automation.ConcurrentUpdateError:
        problem = "The last run was killed during a deployment, or another one is at work. If none is, see the README."
    except automation.CommandError:
        pass
    sys.stderr.write(f"{problem}\n")
    return 1


def run(stack: automation.Stack, command: list[str]) -> int:
    """Return the exit code of *command*, which runs while the model is in service."""
    try:
        stack.up(on_output=print)
        return subprocess.run(command, check=False).returncode  # noqa: S603 - the user's own command
    finally:
        # State is kept if this fails: run it again, and it goes on.
        stack.destroy(on_output=print)


if __name__ == "__main__":
    sys.exit(main())
