"""From a PyTorch module to an ONNX model that gives the same answers: asked for, exported, compared, or refused."""
