"""Payments: channels, gateways, callbacks, refunds, and healing what a gateway did not tell."""
