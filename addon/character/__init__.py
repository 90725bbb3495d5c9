"""What must be known of a character: its face, its shape keys, how it looks from the front."""
