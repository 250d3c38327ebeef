"""From a float model to int8 or fp16: calibration pictures, what each layer costs, and the search for what to keep."""
