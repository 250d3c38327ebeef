"""OpenVINO on the processor, Intel GPUs and NPUs, alone or several of them as one device."""
