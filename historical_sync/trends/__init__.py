"""What the numbers mean: definitions of metrics, directions, benchmarks."""
