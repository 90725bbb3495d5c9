"""Heads drawn in batches by torch, on whatever device it has: what `models/heads` draws in numpy.

The same triangles are cut into the same pixels, the same light falls on them and motion is read off
two drawings in the same way; `tests/models/test_heads_device*.py` hold both drawings together.
A batch of pictures is one long row of pixels, so that every step is one call for all of them.
"""
