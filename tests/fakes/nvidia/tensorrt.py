"""`import tensorrt` where this folder is on the path: the fake of the version that FAKE_TENSORRT names."""

import os
import sys

from fakes.tensorrt_fake import make_tensorrt

sys.modules[__name__] = make_tensorrt(*os.environ["FAKE_TENSORRT"].split())
