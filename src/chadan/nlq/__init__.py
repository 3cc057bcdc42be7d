"""Natural language: one utterance in, one order query out (the semantics are docs/reference/natural-language.md)."""
