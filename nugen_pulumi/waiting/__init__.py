"""Wait for one model or for many, on one event loop. Knows nothing of Pulumi."""
