"""Li et al. (2020): emotions without speakers by a max-entropy adversary."""
