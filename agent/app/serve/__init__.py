"""`sitewatch serve`: answer detection requests over HTTP."""
