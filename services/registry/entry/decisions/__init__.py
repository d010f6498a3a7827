"""What is decided of an admission entry, one module for each part of its life."""
