"""
Record the state that the installed version makes of a program: `python tests/upgrade/record.py deployed.py FILE`.

For a new version, once, with its own code and a CLI on PATH. A recorded file is never changed.
"""

import json
import math
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path.append(str(HERE.parent))

from harness import KEY  # noqa: E402 - found just now
from harness.stack import Stack  # noqa: E402

from nugen_pulumi.emulator import Emulator, State  # noqa: E402

UNDEPLOYED = {
    "done": {},
    "recorded": {"fails": "GPU on fire"},
    "pending": {"undeploy_seconds": math.inf},
    "f-1": {},
    "f-2": {"fails": "GPU on fire"},
    "f-3": {"undeploy_seconds": math.inf},
}
DEPLOYED = {
    "served": {"state": State.UNDEPLOYED},
    "adopted": {},
    "failed": {"state": State.UNDEPLOYED, "deploy_fails": "no GPU"},
    "pending": {"state": State.UNDEPLOYED, "deploy_seconds": math.inf},
    "unwaited": {"state": State.UNDEPLOYED, "deploy_seconds": math.inf},
}

name, file = sys.argv[1:]
with tempfile.TemporaryDirectory() as folder, Emulator(api_key=KEY, undeploy_seconds=0.2) as emulator:
    for model_id, traits in (DEPLOYED if name.startswith("deployed") else UNDEPLOYED).items():
        emulator.add(model_id, **traits)
    program = (HERE / name).read_text().replace("PLUGIN", str(Path(sys.executable).parent))
    stack = Stack(Path(folder), program, {"NUGEN_API_KEY": KEY, "NUGEN_BASE_URL": emulator.url})
    sys.stdout.write(stack.up().output)
    deployment = stack.state
for resource in deployment["resources"]:
    for where in ("sourcePosition", "stackTrace"):  # paths of this machine
        resource.pop(where, None)
state = {"version": 3, "deployment": deployment}
Path(file).write_text(json.dumps(state, indent=1) + "\n")
