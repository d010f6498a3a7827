"""The numbers (性能): each figure beside its goal and its peer in the same run. `python -m bench`."""
