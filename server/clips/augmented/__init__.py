"""Labelled synthetic data sets: source clips put on characters, in CASME II's layout."""
