"""Floor 0: pure arithmetic of billing. No clock, no input or output, only the standard library and itself."""
