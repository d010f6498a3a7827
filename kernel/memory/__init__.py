"""Both ports in lists: for replay, simulation and tests, held to the same contract suites as SQL."""
