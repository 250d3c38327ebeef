"""`sitewatch model pack`: one file of model, labels, thresholds and golden outputs."""
