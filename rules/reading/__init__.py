"""Rows of a city's folder to typed parts, one module a family; faults are collected, never raised."""
