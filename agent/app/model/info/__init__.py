"""`sitewatch model info`: what a model is made of, and what can run it."""
