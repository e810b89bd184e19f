"""Accuracy against bit width: points, sensitivity, mixed precision, stalls, the page."""
