"""Latif et al. (2018): variational autoencoders of speech segments."""
