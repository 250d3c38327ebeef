"""A model in the format of one run-time: converted, held against ONNX Runtime on the same inputs, or refused."""
