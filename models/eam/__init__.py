"""EAM-FMEG, edge-aware motion based micro-expression generation: one idea per file.

Fan, Shahid, Yan, Pattern Recognition Letters 162, 2022, doi 10.1016/j.patrec.2022.09.010.
"""
