"""The built-in head: made by this code alone, for the demo, the clips and the training data."""

from __future__ import annotations

from .head import Head, build_head, triangles
from .identity import IDENTITIES, Identity, random_identity

__all__ = ["IDENTITIES", "Head", "Identity", "build_head", "random_identity", "triangles"]
