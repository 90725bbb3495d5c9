"""Recognition of action units from optical flow: a check of what a clip says."""
