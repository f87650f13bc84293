"""Recurrent networks over sequences: no paper's own, used by several rooms."""
