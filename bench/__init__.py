"""Measurements: what the pipeline costs, compared in the same run with the least it could cost."""
