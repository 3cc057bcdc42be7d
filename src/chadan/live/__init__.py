"""Live updates: the small ASGI process that tells open pages what changed."""
