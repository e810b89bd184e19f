"""Accuracy against bit width: points are scored in processes, kept, and told in one record."""
