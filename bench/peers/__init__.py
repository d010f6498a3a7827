"""Others that do the work of router.case on Kafka: each its own program, in an environment of its own."""
