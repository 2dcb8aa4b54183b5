"""
The Nugen API on loopback, for tests and for trying things out. Knows nothing of the rest of the package.

In a test::

    with Emulator(api_key="emulator-key") as emulator:
        emulator.script("m-1", "PENDING", 503, "completed")
        ...
        emulator.verify()

From a shell: ``python -m nugen_pulumi.emulator``.
"""

import sys

try:
    from nugen_pulumi.emulator import catalogue, faults
    from nugen_pulumi.emulator.catalogue import ABSENT, Answer, Delivery, StatusBody
    from nugen_pulumi.emulator.faults import Fault
    from nugen_pulumi.emulator.model import State, Traits
    from nugen_pulumi.emulator.server import Emulator
except ModuleNotFoundError as exc:
    if exc.name not in ("fastapi", "uvicorn", "starlette"):
        raise
    message = 'The emulator needs more packages: pip install "nugen-pulumi[emulator]"'
    if sys.argv[0] == "-m":  # so Python calls it while it looks for what to run
        sys.exit(message)
    raise ModuleNotFoundError(message, name=exc.name) from None

__all__ = ["ABSENT", "Answer", "Delivery", "Emulator", "Fault", "State", "StatusBody", "Traits", "catalogue", "faults"]
