"""The reference that every method has to beat."""
