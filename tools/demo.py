"""
Undeploy one model with a real ``pulumi up``, against the emulated API, and show the commands that do it.

Everything it makes is in ``.demo``, which git ignores; the emulator ends with it whatever happens.
"""

import os
import shlex
import subprocess
import sys
from pathlib import Path

from nugen_pulumi.emulator import Emulator

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / ".demo"
STACK = "demo"

REAL = """
The same against the real API, in a stack of yours:

  source .venv/bin/activate && export PATH="{cli}:$PATH"
  pulumi login --local --non-interactive    # or wherever you keep state
  pulumi stack init retire
  pulumi config set --secret nugen:apiKey
  pulumi config set modelId YOUR-MODEL-ID
  pulumi config set undeploy true   # takes it out of service; without it, only waits
  pulumi up
"""


def find_cli() -> str:
    """Return the folder that holds a Pulumi CLI, which may first have to be made."""
    tool = [sys.executable, str(ROOT / "tools" / "pulumi_cli.py")]
    made = subprocess.run(tool, stdout=subprocess.PIPE, text=True, check=False)
    if made.returncode:
        sys.exit(made.returncode)
    return made.stdout.splitlines()[-1]


def environment(cli: str, api: str) -> dict[str, str]:
    """Return an environment in which Pulumi keeps to *HOME*, asks nobody anything, and finds the emulator."""
    return {
        **os.environ,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), cli, os.environ["PATH"]]),
        "PULUMI_HOME": str(HOME / "pulumi"),
        "PULUMI_BACKEND_URL": HOME.as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": "demo",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "NUGEN_API_KEY": "emulator-key",
        "NUGEN_BASE_URL": api,
    }


def main() -> None:
    """Run the demo."""
    cli = find_cli()
    HOME.mkdir(exist_ok=True)
    with Emulator(models="any", undeploy_seconds=5) as api:
        env = environment(cli, api.url)

        def pulumi(*args: str, show: bool = True) -> None:
            if show:
                print(f"\n$ pulumi {shlex.join(args)}", flush=True)
            quiet = None if show else subprocess.DEVNULL
            subprocess.run(["pulumi", *args], cwd=ROOT, env=env, stdout=quiet, stderr=quiet, check=True)

        print(f"The Nugen API, emulated: {api.url}")
        pulumi("stack", "select", "--create", STACK, show=False)
        pulumi("config", "set", "undeploy", "true", show=False)
        try:
            pulumi("up", "--yes", "--skip-preview")
            pulumi("stack", "output")
        finally:
            pulumi("destroy", "--yes", "--skip-preview", "--remove", show=False)
    print(REAL.format(cli=cli))


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as failed:
        sys.exit(f"`{shlex.join(failed.cmd)}` ended with {failed.returncode}.")
    except KeyboardInterrupt:
        sys.exit(130)
