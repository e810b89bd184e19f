"""INT8 that holds: recipe → calibrate → scheme → (train) → simulate → a quantized model.

The network's graphs are lowered to a short list of operators (``graph``, ``lower``). One simulation
runs them in PyTorch, and one writer a format (``targets.export``) puts the same scales into files.
"""
