from tests.keeping import keeper

__all__ = ["keeper"]
