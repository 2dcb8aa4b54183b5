"""Look-ups and explicit providers with the real engine."""

from harness import KEY

PROGRAM = """
from nugen_pulumi import get_undeploy_status

print("it is", get_undeploy_status("m-1").status)
"""


def test_a_program_looks_with_the_stacks_settings_in_a_preview_too(stack, emulator):
    emulator.script("m-1", "PENDING")
    stack = stack(PROGRAM, NUGEN_API_KEY="", NUGEN_BASE_URL="")
    stack("config", "set", "--secret", "nugen:apiKey", KEY).ok()
    stack("config", "set", "nugen:baseUrl", emulator.url).ok()

    assert "it is PENDING" in stack.preview().ok().output
