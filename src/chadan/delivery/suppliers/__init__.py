"""How suppliers are spoken to: one module a protocol, none of which knows orders or the database."""
