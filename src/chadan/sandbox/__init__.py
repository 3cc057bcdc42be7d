"""A gateway and a supplier on loopback that speak the real protocols, and misbehave on command."""
