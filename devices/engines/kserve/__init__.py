"""Models held by servers that speak the KServe v2 protocol: Triton, OpenVINO Model Server, MLServer."""
