"""What the machine's devices do right now: load, memory, temperature, power. Read-only; as far as the machine tells."""
