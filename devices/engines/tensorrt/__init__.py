"""TensorRT on NVIDIA GPUs and on Jetson's deep-learning accelerators (DLA), versions 8.5 to 11 by feature detection.

`engine.load` is the factory. Building happens in a child process (`build`, `build_child`); everything CUDA of a loaded
engine is made, used and freed on one thread (`cuda_thread`), through a seam of ten methods (`cuda_driver`).
Nothing here imports tensorrt or pycuda before the factory is called.
"""
