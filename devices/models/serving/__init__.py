"""What other people's model servers run: files copied beside a model, for the server's own Python, never run here."""
