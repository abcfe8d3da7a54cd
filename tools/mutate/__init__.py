"""Mutation tests: change the source in one place, and see whether a test fails.

    python -m tools.mutate record    run the tests once, and note which lines each of them runs
    python -m tools.mutate run       try the mutants; writes .cache/mutate/results.json, prints a table
    python -m tools.mutate compare BEFORE AFTER

The mutants of a source are the same each time, so that two sets of tests can be compared.
"""
