"""Generated histories: who works in a team, what they open, and what happens to it."""
