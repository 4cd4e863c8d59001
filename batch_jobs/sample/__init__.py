"""Made-up workspaces with a year of history, for demos, tests of size and benchmarks. No I/O, no clock."""
