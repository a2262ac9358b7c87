"""Measurements: what the pipeline costs beside the least it could cost, in the same run. See docs/benchmarks.md."""
