"""Builds the Blender extension: `python -m microface.extension thin|full --out dist`."""
