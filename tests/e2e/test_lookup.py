"""Look-ups and explicit providers with the real engine."""

from harness import KEY

PROGRAM = """
from nugen_pulumi import get_undeploy_status

print("it is", get_undeploy_status("m-1").status)
"""


def test_a_program_polls_with_the_stacks_settings_in_a_preview_too(stack, emulator):
    emulator.script("m-1", "PENDING")
    stack = stack(PROGRAM, NUGEN_API_KEY="", NUGEN_BASE_URL="")
    stack("config", "set", "--secret", "nugen:apiKey", KEY).ok()
    stack("config", "set", "nugen:baseUrl", emulator.url).ok()

    assert "it is PENDING" in stack.preview().ok().output


def test_a_look_up_that_fails_ends_the_program_with_a_sentence(stack, emulator):
    run = stack(PROGRAM, NUGEN_API_KEY=KEY, NUGEN_BASE_URL=emulator.url).preview()

    assert 0 != run.code
    assert "error: Model m-1: the Nugen API knows no such model" in run.output
    assert "Traceback" not in run.output
