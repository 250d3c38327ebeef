"""Detection as an HTTP service: requests in, batched over engine sessions, answers out."""
