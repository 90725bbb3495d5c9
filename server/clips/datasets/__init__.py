"""Readers of micro-expression data sets, from a user's own copy: one file a set."""
