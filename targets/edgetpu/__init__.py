"""What of the graphs the Edge TPU runs: judged by published limits, compiled where that can be."""
