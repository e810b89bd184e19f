"""Quantized graphs as engines' files, one file a format: ``export(model, graph, folder)``.

What is simulated is what is written: an operator whose values all have codes runs on integers, any
other on floats between a dequantization and, where its own value has codes, a quantization.
"""
