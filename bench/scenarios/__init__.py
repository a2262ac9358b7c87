"""One module a scenario: `TITLE`, and `run(rounds, quick)`, which returns the rows of its table.

`quick` means tiny sizes: it shows that the scenario works, and its numbers mean nothing.
"""

NAMES = (
    "ingestion",
    "bills",
    "writing",
    "stages",
    "again",
    "tagging",
    "aggregation",
    "row_level_security",
    "page",
    "million",
    "onboarding",
    "thousand_teams",
    "thirty_teams",
    "startup",
)
"""In the order in which they run."""
