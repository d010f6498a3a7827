"""Both ports in lists: for replay, simulation and tests. Held to the same contract suites as SQL and Kafka."""
