"""Das et al. (2022): continuous metric learning in a denoising autoencoder."""
