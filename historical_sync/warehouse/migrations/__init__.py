"""Schema changes, in order, as hand-written SQL under `versions/`."""
