"""Dagster: partitions, assets, checks, jobs, sensors and schedules. Thin: the work is done by the rooms below."""
