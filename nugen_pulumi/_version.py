"""The one place that holds the version: pyproject.toml and the User-Agent read it here."""

VERSION = "0.1.0"
