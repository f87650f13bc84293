"""Gao et al. (2021): triplets across corpora and gated fusion."""
