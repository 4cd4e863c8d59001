"""How fast batch_jobs is, beside the limit measured in the same run. What the figures mean is in docs/benchmarks.md."""
