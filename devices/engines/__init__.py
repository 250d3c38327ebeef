"""One file a run-time behind the `Engine` seam, and what they share: reading and preparing the ONNX file.

Knows tensors, never a model family.
"""
