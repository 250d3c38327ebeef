"""`sitewatch model triton`: write a Triton model repository."""
