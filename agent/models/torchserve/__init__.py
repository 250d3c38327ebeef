"""A model archive that TorchServe serves, with the agent's own decoders in it, and the server's configuration."""
