"""Intake (受理): a raw report becomes a located, classified report, and that becomes a case or joins one."""
