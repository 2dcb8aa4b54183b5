"""A model in service for one test run: up, test, destroy, whatever the test says. For cron and CI."""

import argparse
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
    parser.add_argument("command", nargs="+", help="the test; {} in it becomes the model's id")
    parser.add_argument("--work-dir", type=Path, default=Path(".pulumi-state"), help="where state is kept")
    args = parser.parse_args()
    args.work_dir.mkdir(exist_ok=True)

    def program() -> None:
        model = DeployedModel("model", model_id=args.model_id)
        pulumi.export("deployed", model.deployed)

    stack = automation.create_or_select_stack(
        "ephemeral",
        project_name="nugen-ephemeral",
        program=program,
        opts=automation.LocalWorkspaceOptions(
            env_vars={"PULUMI_CONFIG_PASSPHRASE": "", "PULUMI_BACKEND_URL": args.work_dir.resolve().as_uri()},
        ),
    )
    code = 1
    try:
        stack.up(on_output=print)
        code = subprocess.run([part.replace("{}", args.model_id) for part in args.command], check=False).returncode  # noqa: S603 - the user's own command
    finally:
        # State is kept if this fails: run it again, and it goes on.
        stack.destroy(on_output=print)
    return code


if __name__ == "__main__":
    sys.exit(main())
