"""`sitewatch model optimize`: check and simplify an ONNX model, only if it stays equal."""
