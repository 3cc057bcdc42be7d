"""The gateways' side of the payment protocols, one module each."""
