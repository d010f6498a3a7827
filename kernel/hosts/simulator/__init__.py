"""The simulator: a whole city of several workers in one process, faults at every port call, from one number.

`world` schedules coroutines and keeps time; `faults` wraps the memory ports; `actors` and `city` put workers,
edges and partitions together; `happenings` and `disasters` befall them; `watch` checks each commit, `checks`
what must hold at the end.
"""
