"""Core ML through coremltools: models delivered as .mlpackage or .mlmodelc, on Apple's GPU or Neural Engine."""
