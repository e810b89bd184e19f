"""Accuracy against bit width: points, sensitivity, mixed precision, stalls, and the report's page."""
