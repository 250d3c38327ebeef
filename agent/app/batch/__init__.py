"""`sitewatch batch`: run many clips through one engine."""
