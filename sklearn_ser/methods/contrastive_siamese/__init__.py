"""Lian et al. (2018): contrastive loss under siamese networks."""
