"""The requests of the Nugen API, and what their responses mean. Knows nothing of waiting."""
