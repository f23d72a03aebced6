"""Benchmarks: each module prints figures and exits red when a bound is missed (`bin/bench NAME`)."""
