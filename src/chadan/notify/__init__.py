"""Telling people about their orders: one interface, one class a channel."""
