"""Look-ups, and what a debug log shows, with the real engine."""

import re

from harness import KEY

from nugen_pulumi.emulator import Answer

WAITING = """
from nugen_pulumi import UndeployedModel

UndeployedModel("model", model_id="m-1", undeploy=True)
"""

PROGRAM = """
from nugen_pulumi import get_undeploy_status

print("it is", get_undeploy_status("m-1").status)
"""


def test_a_program_polls_with_the_stacks_settings_and_an_error_ends_it_with_a_sentence(stack, emulator):
    """In a preview, too."""
    emulator.script("m-1", "PENDING")
    stack = stack(PROGRAM, NUGEN_API_KEY="", NUGEN_BASE_URL="")
    stack("config", "set", "--secret", "nugen:apiKey", KEY).ok()
    stack("config", "set", "nugen:baseUrl", emulator.url).ok()
    assert "it is PENDING" in stack.preview().ok().output

    emulator.reset()
    run = stack.preview()
    assert 0 != run.code
    assert "error: Model m-1: the Nugen API knows no such model" in run.output
    assert "Traceback" not in run.output


def test_with_debug_each_request_is_a_line_and_without_it_none(stack, emulator):
    """Never with the key, though the API quotes it."""
    stack = stack(WAITING)
    for _ in range(2):
        emulator.script_undeploy("m-1", 200)
        emulator.script(
            "m-1", "FAILED", "PENDING", Answer(500, {"detail": f"no {KEY}"}, {"X-Request-Id": KEY}), "COMPLETED"
        )
    quiet = stack.up().ok().output
    stack.destroy().ok()
    debugged = stack.up("--debug").ok().output

    assert "m-1, request" not in quiet
    assert "m-1, request 2: DELETE 200 in " in debugged
    assert re.search(r"m-1, request 4: GET 500 in \d+ ms \(request \[API key\]\): .*; next poll in ", debugged)
    assert "m-1, request 5: GET 200 in " in debugged
    assert KEY not in debugged
