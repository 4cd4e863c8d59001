"""Tests of the rules: worked examples with their sources, and properties that hold for all inputs."""
