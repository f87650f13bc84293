"""The references that every method has to beat."""
