"""A call of Pulumi's engine: what it can be told meanwhile, and workarounds for the dynamic host. Knows no models."""
