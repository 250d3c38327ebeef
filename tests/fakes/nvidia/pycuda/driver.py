"""`import pycuda.driver` where this folder is on the path: the fake."""

import sys

import fakes.cuda_fake as fake

sys.modules[__name__] = fake.make_pycuda()
sys.modules["pycuda"].driver = sys.modules[__name__]
