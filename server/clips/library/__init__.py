"""A folder of source clips with an index: imported once, found again, never half there."""
