"""Evidence of a bake, measures on it, and the page that shows them; needs numpy alone."""
