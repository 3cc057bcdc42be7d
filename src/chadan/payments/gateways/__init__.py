"""The gateways' protocols, one module each, behind the contract in `base`."""
