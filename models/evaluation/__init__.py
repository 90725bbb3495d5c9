"""Measuring: the network beside a static copy and a classical baseline."""
