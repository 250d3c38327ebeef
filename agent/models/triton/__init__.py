"""What servers that speak KServe v2 need to serve a model: Triton, OpenVINO Model Server, MLServer."""
