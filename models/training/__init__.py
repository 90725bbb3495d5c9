"""Training: pairs in, checkpoints out, resumable at any step."""
