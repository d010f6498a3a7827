"""The simulator: a whole city of several workers in one process, with faults at every port call, from one number.

`world` schedules coroutines and keeps time; `faults` wraps the memory ports; `city` puts workers, edges and
partitions together; `checks` says what must hold while it runs and at its end.
"""
