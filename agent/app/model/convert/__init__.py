"""`sitewatch model convert`: to OpenVINO, Core ML or TensorRT, checked against ONNX Runtime."""
