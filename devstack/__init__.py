"""Everything around the product: real servers, a process manager and first-run set-up, from nothing but Python.

`bin/run`, `bin/test`, `bin/check` and `bin/bench` call this package, and the tests take their PostgreSQL
and Redis from it. It is for development and trials: the product never imports it, and a deployment never needs it.
"""
