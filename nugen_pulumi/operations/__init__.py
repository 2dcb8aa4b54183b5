"""What create, read, update and delete decide: inputs, outputs, messages. Knows no protocol and no host."""
