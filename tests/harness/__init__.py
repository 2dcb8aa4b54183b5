"""What the tests stand on: a simulated clock, an API without sockets, the real host process, real stacks."""

KEY = "emulator-key-for-tests"
