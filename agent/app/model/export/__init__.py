"""`sitewatch model export`: PyTorch to ONNX, checked against PyTorch."""
