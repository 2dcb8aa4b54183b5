"""
``python -m nugen_pulumi doctor``: finds out what is wrong between this machine and the API.

Knows no HTTP of its own, and not what a response means.
"""
