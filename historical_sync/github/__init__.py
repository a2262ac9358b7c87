"""GitHub: what we ask, how we read the answer, what it costs, and how a month comes in complete."""
