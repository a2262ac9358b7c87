"""How well the signatures do on labelled pull requests."""
