"""`sitewatch model verify`: check a bundle, and its golden outputs on an engine here."""
