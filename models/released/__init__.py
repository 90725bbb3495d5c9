"""EAM-FMEG as its authors' research code has it, for comparison: its size, its quirks, its cost."""
