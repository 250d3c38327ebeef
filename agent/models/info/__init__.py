"""What a model is made of, what it costs, and which run-times and accelerators can take it."""
