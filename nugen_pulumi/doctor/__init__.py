"""``python -m nugen_pulumi doctor``: finds out what is wrong between this machine and the API. Knows no waiting."""
