"""What becomes of generated frames and motion: keyed shape keys, textures, flipbooks."""
