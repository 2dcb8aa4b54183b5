"""Pulumi's provider protocol for programs in any language. Knows nothing of the dynamic host."""
