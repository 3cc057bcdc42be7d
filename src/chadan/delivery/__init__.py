"""Delivery: card stock and claims, suppliers, manual work."""
