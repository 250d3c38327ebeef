"""Simplifying a model and proving that it still computes the same, before anything is written."""
