"""Proof of a bake: collected when it is made, and measured again from the file alone."""
